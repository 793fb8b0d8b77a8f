//! Contour lines by marching squares (W. Lorensen, H. Cline, 1987, in two dimensions).

use std::collections::BTreeMap;

/// A side of a cell, on which a line crosses: its lower left end, and whether it goes up.
type Edge = (usize, usize, bool);

/// Where the values `(rows, columns)` cross `level`, as lines of points `(column, row)`, between whole numbers where a
/// straight line between two values would cross.
pub(crate) fn contour(values: &[f64], columns: usize, level: f64) -> Vec<Vec<(f64, f64)>> {
    let rows = values.len() / columns.max(1);
    let value = |i: usize, j: usize| values[j * columns + i] - level;
    let place = |(i, j, up): Edge| {
        let (a, b) = (value(i, j), if up { value(i, j + 1) } else { value(i + 1, j) });
        let share = a / (a - b);
        if up { (i as f64, j as f64 + share) } else { (i as f64 + share, j as f64) }
    };
    // Each edge joins the pieces of the two cells that share it.
    let mut joined: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    let mut order = Vec::new();
    for (i, j) in (1..rows).flat_map(|j| (1..columns).map(move |i| (i - 1, j - 1))) {
        let corners = [value(i, j), value(i + 1, j), value(i + 1, j + 1), value(i, j + 1)];
        if corners.iter().any(|value| !value.is_finite()) {
            continue;
        }
        let sides = [(i, j, false), (i + 1, j, true), (i, j + 1, false), (i, j, true)];
        let crossed = (0..4).filter(|&side| (corners[side] > 0.0) != (corners[(side + 1) % 4] > 0.0));
        let crossed: Vec<Edge> = crossed.map(|side| sides[side]).collect();
        let pieces: &[[usize; 2]] = match crossed.len() {
            2 => &[[0, 1]],
            // A saddle: the mean says which corners belong together.
            4 if (corners[0] > 0.0) == (corners.iter().sum::<f64>() > 0.0) => &[[0, 1], [2, 3]],
            4 => &[[0, 3], [1, 2]],
            _ => &[],
        };
        for &[a, b] in pieces {
            joined.entry(crossed[a]).or_default().push(crossed[b]);
            joined.entry(crossed[b]).or_default().push(crossed[a]);
            order.push(crossed[a]);
        }
    }
    let mut lines = Vec::new();
    // Open lines from their ends first, then those that close.
    let ends: Vec<Edge> = joined.iter().filter(|(_, next)| next.len() == 1).map(|(edge, _)| *edge).collect();
    for start in ends.into_iter().chain(order) {
        let (mut line, mut at) = (Vec::new(), start);
        while let Some(next) = joined.get_mut(&at).and_then(Vec::pop) {
            if line.is_empty() {
                line.push(place(at));
            }
            if let Some(back) = joined.get_mut(&next) {
                back.iter().position(|edge| *edge == at).map(|found| back.swap_remove(found));
            }
            line.push(place(next));
            at = next;
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::contour;

    #[test]
    fn a_bowl_has_one_round_line() {
        let side = 21;
        let at = |i: usize| i as f64 - 10.0;
        let bowl: Vec<f64> = (0..side * side).map(|k| at(k % side).powi(2) + at(k / side).powi(2)).collect();
        let lines = contour(&bowl, side, 49.0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // Linear between neighbours of a parabola: at most 1/8 of its second derivative, 2, off in the value, so 0.25
        // over a slope of 2 r in the radius.
        assert!(lines[0].iter().all(|(x, y)| ((x - 10.0).hypot(y - 10.0) - 7.0).abs() < 0.26 / 13.0));
    }

    #[test]
    fn a_slope_has_one_line_from_edge_to_edge() {
        let slope: Vec<f64> = (0..12).map(|k| (k % 4) as f64).collect();
        assert_eq!(contour(&slope, 4, 1.5), [vec![(1.5, 0.0), (1.5, 1.0), (1.5, 2.0)]]);
        assert!(contour(&slope, 4, 9.0).is_empty());
        assert!(contour(&[f64::NAN; 4], 2, 0.0).is_empty());
    }
}
