//! Contenders over something that grows, such as threads or capacity: a line for each.

use std::error::Error;

use plotters::coord::combinators::BindKeyPoints;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::{FONT, INK, Plot, colours};

const SIZE: (u32, u32) = (860, 460);

/// What the axes say. The horizontal one is logarithmic.
#[derive(Clone, Copy)]
pub(crate) struct Axes<'a> {
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    /// Whether the vertical axis is logarithmic, too.
    pub(crate) is_steep: bool,
}

/// One contender.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// All of them. None may be without points.
pub(crate) fn lines(file: &str, title: &str, axes: Axes<'_>, lines: &[Line]) -> Result<Plot, String> {
    let mut svg = String::new();
    let (low, high) = bounds(lines.iter().flat_map(|line| &line.points).map(|point| point.1));
    let drawn = if axes.is_steep {
        let (low, high) = (low / 1.3, high * 1.3);
        let y = (low..high).log_scale().with_key_points(round(low, high));
        draw(&mut svg, title, axes, y, lines)
    } else {
        let margin = (high - low) * 0.08;
        draw(&mut svg, title, axes, low - margin..high + margin, lines)
    };
    drawn.map_err(|error| format!("{file} was not drawn: {error}"))?;
    Ok(Plot { file: file.to_owned(), title: title.to_owned(), svg })
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)))
}

/// 1, 2 and 5, and their multiples by powers of ten, within bounds.
fn round(low: f64, high: f64) -> Vec<f64> {
    let all = (-9..12).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    all.filter(|number| (low..=high).contains(number)).collect()
}

fn draw<Y>(svg: &mut String, title: &str, axes: Axes<'_>, y: Y, lines: &[Line]) -> Result<(), Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let mut xs: Vec<_> = lines.iter().flat_map(|line| &line.points).map(|point| point.0).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let (first, last) = bounds(xs.iter().copied());
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    // The names stand beside the lines, not on them.
    let (plot, names) = root.split_horizontally(620);
    let mut chart = ChartBuilder::on(&plot)
        .caption(title, (FONT, 18).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((first / 1.1..last * 1.1).log_scale().with_key_points(xs), y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .label_style((FONT, 13).into_font().color(&INK))
        .draw()?;
    for (number, (line, colour)) in lines.iter().zip(colours(lines.iter().map(|line| line.name))).enumerate()
    {
        let style = colour.stroke_width(if super::is_ours(line.name) { 3 } else { 2 });
        chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
        let dots = line.points.iter().map(|point| Circle::new(*point, 3, colour.filled()));
        chart.draw_series(dots)?;
        let top = 60 + 24 * i32::try_from(number)?;
        names.draw(&PathElement::new(vec![(4, top), (28, top)], style))?;
        let text = (FONT, 13).into_font().color(&INK);
        names.draw(&Text::new(line.name, (34, top - 8), text))?;
    }
    root.present()?;
    Ok(())
}

/// As few digits as tell it from its neighbours on an axis.
fn number(value: f64) -> String {
    if value >= 10.0 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
