//! Layered drawings of graphs (K. Sugiyama, S. Tagawa, M. Toda, 1981): nodes in ranks, ordered within a rank by the mean
//! place of their neighbours, and then moved under them as far as the others leave room.

use super::palette::GREY;
use super::{Area, text};
use plotters::prelude::*;

/// How often all ranks are put in order.
const SWEEPS: usize = 8;

/// Where each node stands within its rank: neighbours are at least 1 apart, and the leftmost of all stands at 0. What has
/// the larger weight comes nearer to the mean place of its neighbours, and counts for more in that of others.
pub(crate) fn places(ranks: &[usize], weights: &[f64], edges: &[(usize, usize)]) -> Vec<f64> {
    let mut neighbours = vec![Vec::new(); ranks.len()];
    for &(a, b) in edges.iter().filter(|(a, b)| ranks[*a] != ranks[*b]) {
        neighbours[a].push(b);
        neighbours[b].push(a);
    }
    let mut layers = vec![Vec::new(); ranks.iter().max().map_or(0, |last| last + 1)];
    ranks.iter().enumerate().for_each(|(node, rank)| layers[*rank].push(node));
    let mut places = vec![0.0; ranks.len()];
    for layer in &layers {
        let middle = (layer.len() as f64 - 1.0) / 2.0;
        layer.iter().enumerate().for_each(|(slot, &node)| places[node] = slot as f64 - middle);
    }
    let count = layers.len();
    for sweep in 0..SWEEPS {
        for step in 0..count {
            let layer = &mut layers[if sweep % 2 == 0 { step } else { count - 1 - step }];
            let wish = |node: usize, places: &[f64]| match neighbours[node].as_slice() {
                [] => places[node],
                others => {
                    let sum =
                        |f: &dyn Fn(usize) -> f64| others.iter().map(|other| weights[*other] * f(*other)).sum::<f64>();
                    sum(&|other| places[other]) / sum(&|_| 1.0)
                }
            };
            layer.sort_by(|a, b| wish(*a, &places).total_cmp(&wish(*b, &places)));
            let wishes: Vec<_> = layer.iter().map(|node| (wish(*node, &places), weights[*node])).collect();
            layer.iter().zip(apart(&wishes)).for_each(|(node, place)| places[*node] = place);
        }
    }
    let first = places.iter().copied().fold(f64::INFINITY, f64::min);
    places.into_iter().map(|place| place - first).collect()
}

/// The places nearest to `wishes`, given in order and with their weights, that are at least 1 apart: pools of neighbours
/// that would overlap stand around the mean of their wishes.
fn apart(wishes: &[(f64, f64)]) -> Vec<f64> {
    // Less its number in the row, a wish has to be no less than the one before.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new(); // mean, weight, how many
    for (i, (wish, weight)) in wishes.iter().enumerate() {
        let mut pool = (wish - i as f64, *weight, 1);
        while let Some(&(mean, weight, count)) = pools.last().filter(|last| last.0 > pool.0) {
            pools.pop();
            pool = ((mean * weight + pool.0 * pool.1) / (weight + pool.1), weight + pool.1, count + pool.2);
        }
        pools.push(pool);
    }
    let levels = pools.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean, count));
    levels.enumerate().map(|(i, level)| level + i as f64).collect()
}

/// An arrow from one point to another that leaves and arrives along the given directions.
pub(crate) fn arrow(
    area: &Area<'_>,
    (from, leaves): ((f64, f64), (f64, f64)),
    (to, arrives): ((f64, f64), (f64, f64)),
) -> Result<(), String> {
    const HEAD: f64 = 7.0;
    const PIECES: u32 = 16;
    let bend = 0.45 * (to.0 - from.0).hypot(to.1 - from.1);
    let (a, b) =
        ((from.0 + bend * leaves.0, from.1 + bend * leaves.1), (to.0 - bend * arrives.0, to.1 - bend * arrives.1));
    let curve = |t: f64| {
        let u = 1.0 - t;
        let of = |p: [f64; 4]| u * u * u * p[0] + 3.0 * u * u * t * p[1] + 3.0 * u * t * t * p[2] + t * t * t * p[3];
        (of([from.0, a.0, b.0, to.0]).round() as i32, of([from.1, a.1, b.1, to.1]).round() as i32)
    };
    let points: Vec<_> = (0..=PIECES).map(|i| curve(f64::from(i) / f64::from(PIECES))).collect();
    area.draw(&PathElement::new(points, GREY.stroke_width(1))).map_err(text)?;
    let corner = |along: f64, across: f64| {
        let x = to.0 - along * arrives.0 + across * arrives.1;
        let y = to.1 - along * arrives.1 - across * arrives.0;
        (x.round() as i32, y.round() as i32)
    };
    let head = vec![corner(0.0, 0.0), corner(HEAD, HEAD / 2.0), corner(HEAD, -HEAD / 2.0)];
    area.draw(&Polygon::new(head, GREY.filled())).map_err(text)
}

#[cfg(test)]
mod tests {
    use super::{apart, places};

    #[test]
    fn wishes_are_met_where_there_is_room() {
        let apart = |wishes: &[f64]| apart(&wishes.iter().map(|wish| (*wish, 1.0)).collect::<Vec<_>>());
        assert_eq!(apart(&[0.0, 3.0]), [0.0, 3.0]);
        assert_eq!(apart(&[1.0, 1.0]), [0.5, 1.5]);
        assert_eq!(apart(&[0.0, 0.0, 0.0, 9.0]), [-1.0, 0.0, 1.0, 9.0]);
        assert_eq!(super::apart(&[(1.0, 3.0), (1.0, 1.0)]), [0.75, 1.75]);
    }

    #[test]
    fn a_chain_is_straight_and_edges_do_not_cross_without_need() {
        assert_eq!(places(&[0, 1, 2], &[1.0; 3], &[(0, 1), (1, 2)]), [0.0, 0.0, 0.0]);
        let crossed = places(&[0, 0, 1, 1], &[1.0; 4], &[(0, 3), (1, 2)]);
        assert!((crossed[0] < crossed[1]) == (crossed[3] < crossed[2]), "{crossed:?}");
        assert!((crossed[0] - crossed[1]).abs() >= 1.0);
    }
}
