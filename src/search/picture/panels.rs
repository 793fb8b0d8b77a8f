//! Pictures with axes: history, slices, importance.

use crate::plot::palette::{BLUE, GREY, GRID, GROUND, ORANGE};
use crate::plot::{Area, Axis, drawable, font, mesh, text};
use crate::search::results::is_log;
use crate::search::{Record, State, Trials, Value};
use plotters::prelude::*;

type Point = (f64, f64);

const SIZE: (u32, u32) = (760, 420);
/// Sides of a panel of slices, and how many stand in a row.
const PANEL: (u32, u32) = (340, 300);
const ROW: usize = 3;

/// What a panel shows.
struct Panel {
    title: String,
    x_label: String,
    y_label: String,
    complete: Vec<Point>,
    pruned: Vec<Point>,
    /// The best of all.
    best: Option<Point>,
    /// Drawn as steps.
    line: Vec<Point>,
    x: Along,
}

/// What is along the horizontal axis.
enum Along {
    Trials,
    /// So many, by their numbers.
    Options(usize),
    Numbers,
}

impl Trials {
    pub(super) fn draw_history(&self, svg: &mut String) -> Result<(), String> {
        let points = |state: State| self.scores(state, |record| Some(record.number as f64));
        let running = self.records.iter().zip(self.running_best());
        let panel = Panel {
            title: "score by trial".to_owned(),
            x_label: "trial".to_owned(),
            y_label: self.name.clone(),
            complete: points(State::Complete),
            pruned: points(State::Pruned),
            best: self.best().ok().map(|best| (best.number as f64, best.score)),
            line: running.map(|(record, best)| (record.number as f64, best)).filter(|(_, y)| drawable(*y)).collect(),
            x: Along::Trials,
        };
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&GROUND).map_err(text)?;
        panel.draw(&root, true)?;
        root.present().map_err(text)
    }

    pub(super) fn draw_slices(&self, svg: &mut String) -> Result<(), String> {
        let names = self.names();
        let (columns, rows) = (names.len().min(ROW), names.len().div_ceil(ROW));
        let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32);
        let root = SVGBackend::with_string(svg, size).into_drawing_area();
        root.fill(&GROUND).map_err(text)?;
        for (area, name) in root.split_evenly((rows, columns)).iter().zip(&names) {
            let (log, options) = (self.is_log(name), self.options(name));
            let at = |record: &Record| match record.get(name)? {
                Value::Choice(_, option) => options.iter().position(|own| own == option).map(|at| at as f64),
                value => value.number().map(|number| if log { number.log10() } else { number }),
            };
            let listed: Vec<String> = options.iter().enumerate().map(|(at, option)| format!("{at} {option}")).collect();
            let panel = Panel {
                title: (*name).to_owned(),
                x_label: if log { "log10".to_owned() } else { listed.join(", ") },
                y_label: self.name.clone(),
                complete: self.scores(State::Complete, at),
                pruned: self.scores(State::Pruned, at),
                best: self.best().ok().and_then(|best| Some((at(best)?, best.score))),
                line: Vec::new(),
                x: if options.is_empty() { Along::Numbers } else { Along::Options(options.len()) },
            };
            panel.draw(area, false)?;
        }
        root.present().map_err(text)
    }

    pub(super) fn draw_importance(&self, svg: &mut String, shares: &[(String, f64)]) -> Result<(), String> {
        let height = 70 + 34 * shares.len() as u32;
        let root = SVGBackend::with_string(svg, (SIZE.0, height)).into_drawing_area();
        root.fill(&GROUND).map_err(text)?;
        let title = format!("share of each parameter in {} (PED-ANOVA)", self.name);
        root.draw(&Text::new(title, (20, 16), font(18))).map_err(text)?;
        let (left, right) = (190, SIZE.0 as i32 - 90);
        for (row, (name, share)) in shares.iter().enumerate() {
            let y = 56 + 34 * row as i32;
            let end = left + (share * f64::from(right - left)).round() as i32;
            root.draw(&Rectangle::new([(left, y), (end.max(left + 1), y + 20)], BLUE.filled())).map_err(text)?;
            root.draw(&Text::new(shortened(name, 24), (20, y + 4), font(14))).map_err(text)?;
            root.draw(&Text::new(format!("{share:.2}"), (end + 8, y + 4), font(14))).map_err(text)?;
        }
        root.present().map_err(text)
    }

    /// Where trials of a state stand, and their scores.
    fn scores(&self, state: State, at: impl Fn(&Record) -> Option<f64>) -> Vec<Point> {
        let records = self.records.iter().filter(|record| record.state == state && drawable(record.score));
        records.filter_map(|record| Some((at(record)?, record.score))).collect()
    }

    /// The options of a choice that occur; none for a number.
    pub(super) fn options(&self, name: &str) -> Vec<String> {
        let mut options: Vec<(usize, String)> = Vec::new();
        for value in self.records.iter().filter_map(|record| record.get(name)) {
            if let Value::Choice(index, option) = value {
                options.push((*index, option.clone()));
            }
        }
        options.sort();
        options.dedup();
        options.into_iter().map(|(_, option)| option).collect()
    }

    /// Whether the values of a parameter are better seen on a logarithmic scale.
    pub(super) fn is_log(&self, name: &str) -> bool {
        let numbers = self.records.iter().filter_map(|record| record.get(name)?.number());
        let (low, high) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| (low.min(number), high.max(number)));
        is_log(low, high)
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, legend: bool) -> Result<(), String> {
        let points = || self.complete.iter().chain(&self.pruned);
        let xs = points().map(|(x, _)| *x);
        let x = match self.x {
            Along::Trials => Axis::of_epochs(xs),
            Along::Options(count) => Axis::of_options(count),
            Along::Numbers => Axis::of_values(xs),
        };
        // A pruned trial may have reported far worse than any that completed: the range is that of the latter.
        let y = Axis::of_values(self.complete.iter().map(|(_, y)| *y));
        let mut chart = ChartBuilder::on(area)
            .caption(shortened(&self.title, 30), font(18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(x, y.clone())
            .map_err(text)?;
        mesh(&mut chart, &shortened(&self.x_label, 40), &self.y_label, true)?;
        let inside = |points: &[Point]| -> Vec<Point> {
            points.iter().copied().filter(|(_, value)| (0.0..=1.0).contains(&y.position(*value))).collect()
        };
        let steps =
            self.line.windows(2).flat_map(|pair| [pair[0], (pair[1].0, pair[0].1)]).chain(self.line.last().copied());
        let style = ShapeStyle::from(&ORANGE).stroke_width(2);
        chart.draw_series(LineSeries::new(steps, style)).map_err(text)?;
        let pruned = inside(&self.pruned).into_iter().map(|point| Circle::new(point, 3, GREY.stroke_width(1)));
        chart.draw_series(pruned).map_err(text)?;
        let complete = inside(&self.complete).into_iter().map(|point| Circle::new(point, 3, BLUE.mix(0.75).filled()));
        chart.draw_series(complete).map_err(text)?;
        let best = self.best.into_iter().map(|point| Circle::new(point, 6, ORANGE.stroke_width(2)));
        chart.draw_series(best).map_err(text)?;
        if !legend {
            return Ok(());
        }
        let kinds: [(&str, ShapeStyle, bool); 3] = [
            ("trial", BLUE.mix(0.75).filled(), !self.complete.is_empty()),
            ("pruned", GREY.stroke_width(1), !self.pruned.is_empty()),
            ("best so far", style, true),
        ];
        for (name, style, _) in kinds.into_iter().filter(|(.., shown)| *shown) {
            let entry = chart.draw_series(std::iter::empty::<Circle<Point, i32>>()).map_err(text)?.label(name);
            match name {
                "best so far" => entry.legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style).into_dyn()),
                _ => entry.legend(move |(x, y)| Circle::new((x + 8, y), 3, style).into_dyn()),
            };
        }
        let more = self.line.first().zip(self.line.last()).is_some_and(|(first, last)| last.1 > first.1);
        let corner = if more { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperRight };
        let mut labels = chart.configure_series_labels();
        labels.position(corner).legend_area_size(24).margin(8).background_style(GROUND.mix(0.85)).border_style(GRID);
        labels.label_font(font(13)).draw().map_err(text)
    }
}

/// The beginning of a text that is too long.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}
