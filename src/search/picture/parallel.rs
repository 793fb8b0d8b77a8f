//! Parallel coordinates (Inselberg 1985): a vertical axis for each parameter and one for the score.

use super::panels::shortened;
use crate::plot::palette::{BLUE, GREY, GROUND, ORANGE, TEXT, mixed};
use crate::plot::{font, text};
use crate::search::{Record, State, Trials, Value};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const HEIGHT: i32 = 420;
/// Between two axes, beside the outermost, and above and below.
const GAP: i32 = 140;
const SIDE: i32 = 80;
const TOP: i32 = 56;
const BOTTOM: i32 = 40;

/// Where a trial crosses an axis.
type Place<'a> = Box<dyn Fn(&Record) -> Option<f64> + 'a>;

/// An axis: where a trial crosses it, from 0 at the bottom to 1 at the top.
struct Column<'a> {
    title: String,
    labels: Vec<(f64, String)>,
    place: Place<'a>,
}

impl Trials {
    pub(super) fn draw_parallel(&self, svg: &mut String) -> Result<(), String> {
        let mut columns: Vec<Column<'_>> = self.names().into_iter().map(|name| self.column(name)).collect();
        let complete = |record: &&&Record| record.state == State::Complete && record.score.is_finite();
        let sorted = self.sorted();
        let shown: Vec<&Record> = sorted.iter().filter(complete).copied().collect();
        columns.push(numbers(self.name.clone(), shown.iter().map(|record| record.score), false, |record| {
            Some(record.score)
        }));

        let width = 2 * SIDE + GAP * (columns.len() as i32 - 1).max(1);
        let root = SVGBackend::with_string(svg, (width as u32, HEIGHT as u32)).into_drawing_area();
        root.fill(&GROUND).map_err(text)?;
        let x = |column: usize| SIDE + GAP * column as i32;
        let y = |place: f64| HEIGHT - BOTTOM - (place * f64::from(HEIGHT - TOP - BOTTOM)).round() as i32;
        let count = shown.len();
        // The best on top of the others.
        for (rank, record) in shown.iter().enumerate().rev() {
            let goodness = 1.0 - rank as f64 / count as f64;
            let style = match rank {
                0 => ORANGE.stroke_width(3),
                _ => shade(goodness).stroke_width(1),
            };
            let mut piece: Vec<(i32, i32)> = Vec::new();
            let draw = |piece: &mut Vec<(i32, i32)>| {
                let path = PathElement::new(std::mem::take(piece), style);
                root.draw(&path).map_err(text)
            };
            for (at, column) in columns.iter().enumerate() {
                match (column.place)(record) {
                    Some(place) => piece.push((x(at), y(place))),
                    None => draw(&mut piece)?, // a parameter that this trial lacks
                }
            }
            draw(&mut piece)?;
        }
        let anchored = |size: i32, at: HPos| font(size).pos(Pos::new(at, VPos::Center));
        for (at, column) in columns.iter().enumerate() {
            root.draw(&PathElement::new([(x(at), y(0.0)), (x(at), y(1.0))], TEXT.stroke_width(1))).map_err(text)?;
            let title = Text::new(shortened(&column.title, 18), (x(at), 22), anchored(15, HPos::Center));
            root.draw(&title).map_err(text)?;
            for (place, label) in &column.labels {
                let (label, at) = (shortened(label, 12), (x(at) + 6, y(*place) - 8));
                // The lines of the trials end under it.
                let end = (at.0 + 7 * label.chars().count() as i32 + 4, at.1 + 8);
                let ground = Rectangle::new([(at.0 - 3, at.1 - 8), end], GROUND.mix(0.8).filled());
                root.draw(&ground).map_err(text)?;
                root.draw(&Text::new(label, at, anchored(12, HPos::Left))).map_err(text)?;
            }
        }
        root.present().map_err(text)
    }

    fn column<'a>(&'a self, name: &'a str) -> Column<'a> {
        let options = self.options(name);
        if options.is_empty() {
            let log = self.is_log(name);
            let values = self.records.iter().filter_map(|record| record.get(name)?.number());
            return numbers(name.to_owned(), values, log, move |record| record.get(name)?.number());
        }
        let place = |at: usize, count: usize| (at as f64 + 0.5) / count as f64;
        let labels =
            options.iter().enumerate().map(|(at, option)| (place(at, options.len()), option.clone())).collect();
        let crosses = move |record: &Record| match record.get(name)? {
            Value::Choice(_, option) => options.iter().position(|own| own == option).map(|at| place(at, options.len())),
            _ => None,
        };
        Column { title: name.to_owned(), labels, place: Box::new(crosses) }
    }
}

/// An axis of numbers, labelled at its ends and in the middle.
fn numbers<'a>(
    title: String,
    values: impl Iterator<Item = f64>,
    log: bool,
    value: impl Fn(&Record) -> Option<f64> + 'a,
) -> Column<'a> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let scale = move |value: f64| if log { value.ln() } else { value };
    let place = move |value: f64| {
        if low < high { (scale(value) - scale(low)) / (scale(high) - scale(low)) } else { 0.5 }
    };
    let middle = if log { (low * high).sqrt() } else { 0.5 * (low + high) };
    let labels = if low < high { vec![low, middle, high] } else { vec![low] };
    Column {
        title,
        labels: labels.into_iter().map(|value| (place(value), Value::Float(value).short())).collect(),
        place: Box::new(move |record| value(record).map(place)),
    }
}

/// From grey to blue.
fn shade(goodness: f64) -> RGBAColor {
    mixed(GREY, BLUE, goodness).mix(0.25 + 0.6 * goodness)
}
