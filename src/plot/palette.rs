//! Colours by what they stand for, on a light ground and on a dark one.
//!
//! M. Okabe, K. Ito, "Color Universal Design", 2008; shades of a surface follow "viridis" (N. Smith, S. van der Walt,
//! 2015), whose lightness grows with the value.

use plotters::style::RGBColor;

pub(crate) const GROUND: RGBColor = RGBColor(255, 255, 255);
pub(crate) const TEXT: RGBColor = RGBColor(40, 40, 40);
pub(crate) const GRID: RGBColor = RGBColor(228, 228, 228);
/// What does not count, and what is there to compare with.
pub(crate) const GREY: RGBColor = RGBColor(160, 160, 160);
/// What was measured.
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
/// The best of it, and what was held out.
pub(crate) const ORANGE: RGBColor = RGBColor(213, 94, 0);
const SKY: RGBColor = RGBColor(86, 180, 233);

/// Series take them in turn.
pub(crate) const SERIES: [RGBColor; 6] =
    [BLUE, ORANGE, RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(230, 159, 0), SKY];

/// Text on a colour, whatever the ground: on dark ones and on pale ones. No other colour is the same, so [`dark`] leaves
/// them alone.
pub(crate) const ON_DARK: RGBColor = RGBColor(254, 254, 254);
pub(crate) const ON_PALE: RGBColor = RGBColor(41, 41, 41);

/// The colour of series `index`.
pub(crate) fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// What lies between two colours.
pub(crate) fn mixed(from: RGBColor, to: RGBColor, share: f64) -> RGBColor {
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share.clamp(0.0, 1.0)) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// From dark (0) to light (1).
pub(crate) fn shade(share: f64) -> RGBColor {
    const STOPS: [RGBColor; 5] = [
        RGBColor(68, 1, 84),
        RGBColor(59, 82, 139),
        RGBColor(33, 145, 140),
        RGBColor(94, 201, 98),
        RGBColor(253, 231, 37),
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let below = (at as usize).min(STOPS.len() - 2);
    mixed(STOPS[below], STOPS[below + 1], at - below as f64)
}

/// The same picture on a dark ground: `svg` is what any `to_svg` of this crate gives.
///
/// ```
/// let light = axone::plot::Chart::new("squares").line("", [(0.0, 0.0), (1.0, 1.0), (2.0, 4.0)]).to_svg()?;
/// assert!(light.contains("#FFFFFF") && !axone::plot::dark(&light).contains("#FFFFFF"));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn dark(svg: &str) -> String {
    // The two blues are too dark for a dark ground.
    let pairs = [
        (GROUND, RGBColor(13, 17, 23)),
        (TEXT, RGBColor(226, 232, 238)),
        (GRID, RGBColor(48, 54, 61)),
        (SKY, RGBColor(165, 219, 255)),
        (BLUE, RGBColor(59, 150, 217)),
    ];
    let hex = |color: RGBColor| format!("\"#{:02X}{:02X}{:02X}\"", color.0, color.1, color.2);
    pairs.into_iter().fold(svg.to_owned(), |svg, (light, dark)| svg.replace(&hex(light), &hex(dark)))
}
