//! Charts: lines, points, bars and surfaces over two axes.

use super::palette::{GREY, GRID, GROUND, TEXT, series};
use super::{Area, Axis, drawable, font, picture, save, text};
use crate::{Error, Result};
use plotters::coord::ranged1d::Ranged;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::RangeInclusive;
use std::path::Path;

const SIZE: (u32, u32) = (640, 420);
/// Pixels of a letter of a label, on average.
const LETTER: i32 = 7;
/// The room of a label of the axes.
const LABEL: (f64, f64) = (50.0, 26.0);
/// Points are round, square, triangular or crosses.
const SHAPES: usize = 4;
/// Up to this many points of a line are marked.
const MARKED: usize = 30;

/// Where something stands.
type Point = (f64, f64);
const LINE: Mark = Mark::Line { width: 2, is_dashed: false, is_marked: true };
const DASHED: Mark = Mark::Line { width: 2, is_dashed: true, is_marked: true };

type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Lines, points and bars over two axes.
///
/// Series take colours and shapes in turn; their names stand in a legend, or, after
/// [`direct_labels`](Self::direct_labels), at the ends of their lines. A point without a place on the axes (NaN, infinity,
/// on a logarithmic axis what is not positive) is a gap.
///
/// ```
/// use axone::plot::Chart;
///
/// let falling = (1..=20).map(|epoch| (f64::from(epoch), 1.0 / f64::from(epoch)));
/// let chart = Chart::new("loss").x_label("epoch").y_label("mean squared error (m²)").log_y().line("training", falling);
/// assert!(chart.to_svg()?.contains("mean squared error"));
///
/// let error = Chart::new("loss").line("training", [(1.0, f64::NAN)]).to_svg().unwrap_err();
/// assert_eq!(error.to_string(), "chart \"loss\": none of 1 points has a place on the axes");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    title: String,
    x: Side,
    y: Side,
    fields: Vec<Field>,
    series: Vec<Series>,
    size: (u32, u32),
    direct: bool,
}

/// One of the two axes.
#[derive(Debug, Clone, Default, PartialEq)]
struct Side {
    label: String,
    scale: Scale,
    range: Option<(f64, f64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Scale {
    #[default]
    Linear,
    Log,
    Whole,
}

#[derive(Debug, Clone, PartialEq)]
struct Series {
    label: String,
    points: Vec<Point>,
    mark: Mark,
    color: RGBColor,
    /// The shape of its points, by number.
    shape: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mark {
    Line {
        width: u32,
        is_dashed: bool,
        is_marked: bool,
    },
    Points,
    /// From 0, as wide as the distance to the next point; the last point only ends the one before.
    Bars,
    /// A text beside its point.
    Words,
    /// From one point to the next but one, in pairs.
    Intervals,
}

/// Colours over a part of the plane: `columns` times `rows` cells, row after row from the bottom.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub columns: usize,
    pub cells: Vec<RGBColor>, // (rows, columns)
}

/// From `low` to `high` at `x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub x: f64,
    pub low: f64,
    pub high: f64,
}

impl Side {
    fn axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        match self.range {
            Some((low, high)) => Axis::of_range(low, high),
            None => match self.scale {
                Scale::Linear => Axis::of_values(values),
                Scale::Log => Axis::of_logs(values),
                Scale::Whole => Axis::of_epochs(values),
            },
        }
    }

    fn holds(&self, value: f64) -> bool {
        drawable(value) && (self.scale != Scale::Log || value > 0.0)
    }
}

impl Chart {
    /// A chart without anything on it.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x: Side::default(),
            y: Side::default(),
            fields: Vec::new(),
            series: Vec::new(),
            size: SIZE,
            direct: false,
        }
    }

    /// What the horizontal axis counts, with its unit.
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// What the vertical axis counts, with its unit.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// A logarithmic horizontal axis.
    pub fn log_x(mut self) -> Self {
        self.x.scale = Scale::Log;
        self
    }

    /// A logarithmic vertical axis.
    pub fn log_y(mut self) -> Self {
        self.y.scale = Scale::Log;
        self
    }

    /// A horizontal axis that counts epochs or the like: labelled at whole numbers alone.
    pub fn whole_x(mut self) -> Self {
        self.x.scale = Scale::Whole;
        self
    }

    /// The range of the horizontal axis, linear then; by default that of the points.
    pub fn x_range(mut self, range: RangeInclusive<f64>) -> Self {
        self.x.range = Some(range.into_inner());
        self
    }

    /// The range of the vertical axis, linear then; by default that of the points.
    pub fn y_range(mut self, range: RangeInclusive<f64>) -> Self {
        self.y.range = Some(range.into_inner());
        self
    }

    /// Width and height in pixels; 640 by 420 by default.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    /// Names the lines at their ends instead of in a legend.
    pub fn direct_labels(mut self) -> Self {
        self.direct = true;
        self
    }

    /// A line through points, called `label` where that is not empty.
    pub fn line(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>) -> Self {
        self.colored(label, points, LINE)
    }

    /// A dashed line in a colour of its own.
    pub fn dashed(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>) -> Self {
        self.colored(label, points, DASHED)
    }

    /// A thin grey line: what the others are to be compared with, dashed where it has a name.
    pub fn reference(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>) -> Self {
        let label = label.into();
        let is_dashed = !label.is_empty();
        self.with(label, points, Mark::Line { width: 1, is_dashed, is_marked: false }, GREY)
    }

    /// Points, in a shape of their own.
    pub fn points(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>) -> Self {
        self.colored(label, points, Mark::Points)
    }

    /// Bars from 0: each from its `x` to that of the next point, so that the last point only ends the one before.
    pub fn bars(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>) -> Self {
        self.colored(label, points, Mark::Bars)
    }

    /// Words beside a point.
    pub fn words(self, words: impl Into<String>, at: Point) -> Self {
        self.with(words, [at], Mark::Words, TEXT)
    }

    /// Vertical lines, thin and grey.
    pub(crate) fn intervals(self, label: &str, intervals: impl IntoIterator<Item = Interval>) -> Self {
        let ends = intervals.into_iter().flat_map(|at| [(at.x, at.low), (at.x, at.high)]);
        self.with(label, ends, Mark::Intervals, GREY)
    }

    /// Colours behind everything else.
    pub(crate) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// A line of any colour.
    pub(crate) fn stroke(self, points: impl IntoIterator<Item = Point>, color: RGBColor, width: u32) -> Self {
        self.with("", points, Mark::Line { width, is_dashed: false, is_marked: false }, color)
    }

    /// A line of any colour, with a name.
    pub(crate) fn curve(
        self,
        label: &str,
        points: impl IntoIterator<Item = Point>,
        color: RGBColor,
        is_dashed: bool,
    ) -> Self {
        self.with(label, points, if is_dashed { DASHED } else { LINE }, color)
    }

    /// Points of any colour, in the shape of series `shape`.
    pub(crate) fn marks(
        mut self,
        label: &str,
        points: impl IntoIterator<Item = Point>,
        color: RGBColor,
        shape: usize,
    ) -> Self {
        self = self.with(label, points, Mark::Points, color);
        if let Some(last) = self.series.last_mut() {
            last.shape = shape;
        }
        self
    }

    fn colored(self, label: impl Into<String>, points: impl IntoIterator<Item = Point>, mark: Mark) -> Self {
        let before = self.series.iter().filter(|series| series.color != GREY && series.mark != Mark::Words).count();
        self.with(label, points, mark, series(before))
    }

    fn with(
        mut self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = Point>,
        mark: Mark,
        color: RGBColor,
    ) -> Self {
        let shape = self.series.iter().filter(|series| series.mark == mark).count();
        let (label, points) = (label.into(), points.into_iter().collect());
        self.series.push(Series { label, points, mark, color, shape });
        self
    }

    /// Writes it as an SVG picture.
    ///
    /// # Errors
    /// [`Error::Data`] where no point has a place on the axes; [`Error::Value`] for a range that is empty, or a side of
    /// fewer than 100 pixels; [`Error::File`] where the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// As there, but for the file.
    pub fn to_svg(&self) -> Result<String> {
        self.check()?;
        picture("a chart", self.size, |area| self.draw(area))
    }

    pub(super) fn pixels(&self) -> (u32, u32) {
        self.size
    }

    /// Refuses what has nothing on it.
    pub(super) fn check(&self) -> Result<()> {
        let place = || format!("chart \"{}\"", self.title);
        for (name, Side { range, .. }) in [("x_range", &self.x), ("y_range", &self.y)] {
            if let Some((low, high)) = range.filter(|(low, high)| !(drawable(*low) && drawable(*high) && low < high)) {
                return Err(Error::value(place(), name, "finite, from low to high", format!("{low} to {high}")));
            }
        }
        if let Some(side) = [self.size.0, self.size.1].into_iter().find(|side| !(100..=10_000).contains(side)) {
            return Err(Error::value(place(), "size", "sides of 100 to 10000 pixels", side));
        }
        let points = || self.series.iter().flat_map(|series| &series.points);
        if self.fields.is_empty() && !points().any(|point| self.x.holds(point.0) && self.y.holds(point.1)) {
            return Err(Error::data(place(), format!("none of {} points has a place on the axes", points().count())));
        }
        Ok(())
    }

    pub(super) fn draw(&self, area: &Area<'_>) -> std::result::Result<(), String> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let corners = |side: fn(&Field) -> (f64, f64)| self.fields.iter().map(side).flat_map(|(low, high)| [low, high]);
        let foot = self.series.iter().any(|series| series.mark == Mark::Bars).then_some(0.0);
        let x = self.x.axis(points().map(|point| point.0).chain(corners(|field| field.x)));
        let y = self.y.axis(points().map(|point| point.1).chain(corners(|field| field.y)).chain(foot));
        let (width, height) = area.dim_in_pixel();
        let x = x.with_at_most(f64::from(width - width.min(90)) / LABEL.0);
        let y = y.with_at_most(f64::from(height - height.min(90)) / LABEL.1);
        let named = || self.series.iter().filter(|series| !series.label.is_empty() && series.mark != Mark::Words);
        let longest = named().map(|series| series.label.chars().count() as i32).max().unwrap_or(0);
        let mut builder = ChartBuilder::on(area);
        builder.margin(12).x_label_area_size(44).y_label_area_size(70);
        if self.direct {
            builder.margin_right(24 + LETTER * longest);
        }
        if !self.title.is_empty() {
            builder.caption(&self.title, font(18));
        }
        let mut chart = builder.build_cartesian_2d(x.clone(), y.clone()).map_err(text)?;
        for field in &self.fields {
            chart.draw_series(field.rectangles()).map_err(text)?;
        }
        mesh(&mut chart, &self.x.label, &self.y.label, self.fields.is_empty())?;
        for series in &self.series {
            series.draw(&mut chart, &x, &y)?;
        }
        if self.direct {
            return self.label_ends(area, &chart, &x, &y);
        }
        if named().next().is_none() {
            return Ok(());
        }
        for series in named() {
            series.explain(&mut chart)?;
        }
        let position = |point: &Point| (x.position(point.0), y.position(point.1));
        let covered = self.series.iter().flat_map(|series| {
            let points = series.points.iter().map(position).collect();
            match series.mark {
                Mark::Line { .. } => along(points).into_iter().map(|at| (at, 1)).collect(),
                Mark::Points | Mark::Bars | Mark::Words | Mark::Intervals => {
                    points.into_iter().map(|at| (at, POINT)).collect::<Vec<_>>()
                }
            }
        });
        let corner = emptiest_corner(&covered.collect::<Vec<_>>());
        let mut labels = chart.configure_series_labels();
        labels.position(corner).legend_area_size(36).margin(8).background_style(GROUND.mix(0.85)).border_style(GRID);
        labels.label_font(font(14)).draw().map_err(text)
    }

    /// The names of the lines at their last points, moved apart where they would overlap.
    fn label_ends(
        &self,
        area: &Area<'_>,
        chart: &Context<'_, '_>,
        x: &Axis,
        y: &Axis,
    ) -> std::result::Result<(), String> {
        const HEIGHT: i32 = 16;
        let corner = area.get_base_pixel();
        let ends = self.series.iter().filter(|series| !series.label.is_empty() && series.mark != Mark::Words);
        let ends = ends.filter_map(|series| {
            let last = series.points.iter().rev().find(|point| x.holds(point.0) && y.holds(point.1))?;
            let at = chart.backend_coord(last);
            Some(((at.0 - corner.0, at.1 - corner.1), series))
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by_key(|((_, y), _)| *y);
        for i in 1..ends.len() {
            ends[i].0.1 = ends[i].0.1.max(ends[i - 1].0.1 + HEIGHT);
        }
        // What was pushed off the lower edge comes back up.
        let mut lowest = area.dim_in_pixel().1 as i32 - 52;
        for ((_, y), _) in ends.iter_mut().rev() {
            *y = (*y).min(lowest);
            lowest = *y - HEIGHT;
        }
        for ((x, y), series) in ends {
            let dash = PathElement::new([(x + 4, y), (x + 14, y)], series.color.stroke_width(3));
            area.draw(&dash).map_err(text)?;
            let style = font(13).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(series.label.clone(), (x + 18, y), style)).map_err(text)?;
        }
        Ok(())
    }
}

impl Series {
    fn draw(&self, chart: &mut Context<'_, '_>, x: &Axis, y: &Axis) -> std::result::Result<(), String> {
        let style = |width| ShapeStyle::from(&self.color).stroke_width(width);
        let inside =
            |value: f64, axis: &Axis| axis.holds(value) && (-1e-9..=1.0 + 1e-9).contains(&axis.position(value));
        let shown = |point: &Point| inside(point.0, x) && inside(point.1, y);
        match self.mark {
            Mark::Line { width, is_dashed, is_marked } => {
                let is_marked = is_marked && self.points.len() <= MARKED;
                let holds = |point: &Point| x.holds(point.0) && y.holds(point.1);
                let pieces = self.points.split(|point| !holds(point)).flat_map(|piece| clipped(piece, x, y));
                for piece in pieces {
                    let line = piece.iter().copied();
                    if is_dashed {
                        chart.draw_series(DashedLineSeries::new(line.clone(), 7, 4, style(width))).map_err(text)?;
                    } else {
                        chart.draw_series(LineSeries::new(line.clone(), style(width))).map_err(text)?;
                    }
                    // A line through one point is invisible.
                    if piece.len() == 1 || is_marked {
                        chart
                            .draw_series(line.map(|point| Circle::new(point, 3, self.color.filled())))
                            .map_err(text)?;
                    }
                }
            }
            Mark::Points => {
                let (points, color) = (self.points.iter().copied().filter(shown), self.color.mix(0.8));
                match self.shape % SHAPES {
                    0 => chart.draw_series(points.map(|at| Circle::new(at, 3, color.filled()))),
                    1 => chart.draw_series(points.map(|at| EmptyElement::at(at) + square((0, 0), self.color))),
                    2 => chart.draw_series(points.map(|at| TriangleMarker::new(at, 4, color.filled()))),
                    _ => chart.draw_series(points.map(|at| Cross::new(at, 3, color.stroke_width(2)))),
                }
                .map_err(text)?;
            }
            Mark::Bars => {
                let foot = if inside(0.0, y) { 0.0 } else { y.range().start };
                let bars =
                    self.points.windows(2).filter(|pair| shown(&pair[0]) && inside(pair[1].0, x) && pair[0].1 > foot);
                let bars = bars.map(|pair| [(pair[0].0, foot), (pair[1].0, pair[0].1)]);
                chart.draw_series(bars.map(|bar| Rectangle::new(bar, self.color.filled()))).map_err(text)?;
            }
            Mark::Words => {
                let words = self.points.iter().copied().filter(shown);
                let end = 8 + LETTER * self.label.chars().count() as i32;
                let ground = || Rectangle::new([(4, -22), (end, -6)], GROUND.mix(0.85).filled());
                let text_at = || Text::new(self.label.clone(), (6, -19), font(13));
                chart.draw_series(words.map(|at| EmptyElement::at(at) + ground() + text_at())).map_err(text)?;
            }
            Mark::Intervals => {
                let pairs = self.points.chunks_exact(2).filter(|ends| ends.iter().all(shown));
                chart.draw_series(pairs.map(|ends| PathElement::new(ends.to_vec(), style(1)))).map_err(text)?;
            }
        }
        Ok(())
    }

    /// Puts its name and a sample of it into the legend.
    fn explain(&self, chart: &mut Context<'_, '_>) -> std::result::Result<(), String> {
        let color = self.color;
        let entry = chart.draw_series(std::iter::empty::<Circle<Point, i32>>()).map_err(text)?.label(&self.label);
        match self.mark {
            Mark::Line { width, is_dashed: true, .. } => entry
                .legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 29, y)], 7, 4, color.stroke_width(width))),
            Mark::Line { width, is_dashed: false, .. } => {
                entry.legend(move |(x, y)| PathElement::new([(x, y), (x + 29, y)], color.stroke_width(width)))
            }
            Mark::Intervals => {
                entry.legend(move |(x, y)| PathElement::new([(x + 14, y - 6), (x + 14, y + 6)], color.stroke_width(1)))
            }
            Mark::Bars => entry.legend(move |(x, y)| Rectangle::new([(x + 4, y - 4), (x + 24, y + 4)], color.filled())),
            Mark::Points | Mark::Words => match self.shape % SHAPES {
                0 => entry.legend(move |(x, y)| Circle::new((x + 14, y), 3, color.filled())),
                1 => entry.legend(move |(x, y)| square((x + 14, y), color)),
                2 => entry.legend(move |(x, y)| TriangleMarker::new((x + 14, y), 4, color.filled())),
                _ => entry.legend(move |(x, y)| Cross::new((x + 14, y), 3, color.stroke_width(2))),
            },
        };
        Ok(())
    }
}

/// What of a line lies within the axes (Y.-D. Liang, B. A. Barsky, 1984).
fn clipped(line: &[Point], x: &Axis, y: &Axis) -> Vec<Vec<Point>> {
    if let [point] = line {
        let inside = [x.position(point.0), y.position(point.1)].iter().all(|at| (0.0..=1.0).contains(at));
        return if inside { vec![vec![*point]] } else { Vec::new() };
    }
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for (a, b) in line.iter().zip(line.iter().skip(1)) {
        let (mut first, mut last) = (0.0, 1.0);
        for (from, to) in [(x.position(a.0), x.position(b.0)), (y.position(a.1), y.position(b.1))] {
            let ends = [(0.0 - from) / (to - from), (1.0 - from) / (to - from)];
            if from == to {
                last = if (0.0..=1.0).contains(&from) { last } else { -1.0 };
                continue;
            }
            (first, last) = (f64::max(first, ends[0].min(ends[1])), f64::min(last, ends[0].max(ends[1])));
        }
        if first > last {
            continue;
        }
        let at = |share: f64| match share {
            0.0 => *a,
            1.0 => *b,
            _ => (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1)),
        };
        match pieces.last_mut() {
            Some(piece) if first == 0.0 && piece.last() == Some(a) => piece.push(at(last)),
            _ => pieces.push(vec![at(first), at(last)]),
        }
    }
    pieces
}

/// A square point.
fn square((x, y): (i32, i32), color: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x - 3, y - 3), (x + 3, y + 3)], color.mix(0.8).filled())
}

impl Field {
    /// Neighbours of one colour as one rectangle. Each reaches a cell further than it is seen, under those drawn after it:
    /// where two only touch, a renderer that smooths edges lets the ground shine through.
    fn rectangles(&self) -> Vec<Rectangle<Point>> {
        let (columns, rows) = (self.columns.max(1), self.cells.len() / self.columns.max(1));
        let at = |range: (f64, f64), i: usize, count: usize| range.0 + (range.1 - range.0) * i as f64 / count as f64;
        let mut found = Vec::new();
        for (j, row) in self.cells.chunks(columns).enumerate() {
            let mut first = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let low = (at(self.x, first, columns), at(self.y, j, rows));
                first += run.len();
                let high = (at(self.x, columns.min(first + 1), columns), at(self.y, rows.min(j + 2), rows));
                found.extend(run.first().map(|color| Rectangle::new([low, high], color.filled())));
            }
        }
        found
    }
}

/// Axes with their labels, and horizontal lines where nothing lies behind them.
pub(crate) fn mesh(chart: &mut Context<'_, '_>, x: &str, y: &str, has_lines: bool) -> std::result::Result<(), String> {
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(GRID).axis_style(TEXT);
    if !has_lines {
        mesh.disable_mesh();
    }
    mesh.label_style(font(13)).axis_desc_style(font(15)).x_desc(x).y_desc(y).draw().map_err(text)
}

/// What a point counts where a legend would hide it: a line may run behind one, a point should not lie there.
const POINT: usize = 1000;

/// Points on a line, close enough that none of its pieces crosses a corner unseen.
fn along(points: Vec<Point>) -> Vec<Point> {
    const STEPS: u32 = 16;
    let between = |(a, b): (&Point, &Point)| {
        let (a, b) = (*a, *b);
        (0..STEPS).map(move |i| {
            let share = f64::from(i) / f64::from(STEPS);
            (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1))
        })
    };
    points.iter().zip(points.iter().skip(1)).flat_map(between).chain(points.last().copied()).collect()
}

/// Where a legend hides the least; positions are from 0 to 1, each with what it counts.
fn emptiest_corner(positions: &[(Point, usize)]) -> SeriesLabelPosition {
    let corners = [
        (true, true, SeriesLabelPosition::UpperRight),
        (true, false, SeriesLabelPosition::LowerRight),
        (false, true, SeriesLabelPosition::UpperLeft),
        (false, false, SeriesLabelPosition::LowerLeft),
    ];
    let hidden = |right: bool, upper: bool| {
        // What lies beyond the axes is not drawn.
        let (across, up) = (if right { 0.6..=1.0 } else { 0.0..=0.4 }, if upper { 0.7..=1.0 } else { 0.0..=0.3 });
        let within = |(x, y): &Point| across.contains(x) && up.contains(y);
        positions.iter().filter(|(at, _)| within(at)).map(|(_, counts)| counts).sum::<usize>()
    };
    let emptiest = corners.into_iter().min_by_key(|(right, upper, _)| hidden(*right, *upper));
    emptiest.map_or(SeriesLabelPosition::UpperRight, |(.., corner)| corner)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Field, Rectangle, SeriesLabelPosition, along, clipped, emptiest_corner};
    use crate::plot::palette::{BLUE, ORANGE};

    /// A steep line has two points, and neither need lie behind the legend that it crosses.
    #[test]
    fn a_legend_keeps_off_lines() {
        let steep = vec![(0.0, 0.5), (0.9, 0.5), (0.9, 1.2)];
        let corner = |points: Vec<_>| emptiest_corner(&points.into_iter().map(|at| (at, 1)).collect::<Vec<_>>());
        assert!(matches!(corner(steep.clone()), SeriesLabelPosition::UpperRight));
        assert!(matches!(corner(along(steep)), SeriesLabelPosition::LowerRight));
    }

    #[test]
    fn rectangles_of_a_field_leave_no_gap() {
        let cells = vec![BLUE, BLUE, ORANGE, ORANGE, BLUE, BLUE];
        let field = Field { x: (0.0, 3.0), y: (0.0, 2.0), columns: 3, cells };
        let corners: Vec<_> =
            field.rectangles().iter().map(Rectangle::get_points).map(|(low, high)| (*low, *high)).collect();
        let wanted =
            [((0.0, 0.0), (3.0, 2.0)), ((2.0, 0.0), (3.0, 2.0)), ((0.0, 1.0), (2.0, 2.0)), ((1.0, 1.0), (3.0, 2.0))];
        assert_eq!(corners, wanted);
    }

    #[test]
    fn lines_end_where_the_axes_do() {
        let (x, y) = (Axis::of_range(0.0, 4.0), Axis::of_range(0.0, 1.0));
        let hill = [(0.0, 0.0), (2.0, 2.0), (4.0, 0.0)];
        assert_eq!(clipped(&hill, &x, &y), [vec![(0.0, 0.0), (1.0, 1.0)], vec![(3.0, 1.0), (4.0, 0.0)]]);
        let flat = [(-2.0, 0.5), (1.0, 0.5), (3.0, 0.5), (8.0, 0.5)];
        assert_eq!(clipped(&flat, &x, &y), [vec![(0.0, 0.5), (1.0, 0.5), (3.0, 0.5), (4.0, 0.5)]]);
        assert!(clipped(&[(1.0, 2.0), (3.0, 2.0)], &x, &y).is_empty() && clipped(&[(9.0, 0.5)], &x, &y).is_empty());
    }
}
