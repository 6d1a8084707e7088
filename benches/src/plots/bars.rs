//! Contenders beside each other: a bar for each, with its figure.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FONT, INK, OURS, PEERS, Plot, is_ours};
use crate::measured::Measured;

const WIDTH: u32 = 860;
const TOP: i32 = 56;
const BAR: i32 = 26;
/// Where bars begin, right of the names, and where the longest ends, left of its figure.
const FROM: i32 = 270;
const TO: i32 = 760;

/// What each took, in this unit; the shorter the better, but for hit rates.
pub(crate) fn bars(file: &str, title: &str, unit: &str, rows: &[(&str, f64)]) -> Result<Plot, String> {
    let mut svg = String::new();
    draw(&mut svg, title, unit, rows).map_err(|error| format!("{file} was not drawn: {error}"))?;
    Ok(Plot { file: file.to_owned(), title: title.to_owned(), svg })
}

/// The bars of these results.
pub(crate) fn medians(results: &[Measured]) -> Vec<(&str, f64)> {
    results.iter().map(|result| (result.name, result.median())).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a place within the plot")]
fn draw(
    svg: &mut String,
    title: &str,
    unit: &str,
    rows: &[(&str, f64)],
) -> Result<(), Box<dyn std::error::Error>> {
    let height = TOP + BAR * i32::try_from(rows.len())? + 14;
    let area = SVGBackend::with_string(svg, (WIDTH, height.try_into()?)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: i32, at: HPos| {
        TextStyle::from((FONT, size).into_font()).color(&INK).pos(Pos::new(at, VPos::Center))
    };
    area.draw(&Text::new(title, (14, 22), text(18, HPos::Left)))?;
    area.draw(&Text::new(unit, (FROM, TOP - 12), text(13, HPos::Left)))?;
    let longest = rows.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let mut top = TOP;
    for (name, value) in rows {
        let (middle, end) = (top + BAR / 2, FROM + (f64::from(TO - FROM) * value / longest).round() as i32);
        let colour = if is_ours(name) { OURS[0] } else { PEERS[4] };
        area.draw(&Rectangle::new([(FROM, top + 4), (end, top + BAR - 4)], colour.filled()))?;
        area.draw(&Text::new(*name, (FROM - 8, middle), text(14, HPos::Right)))?;
        let digits = if *value < 10.0 { 2 } else { 0 };
        area.draw(&Text::new(format!("{value:.digits$}"), (end + 6, middle), text(14, HPos::Left)))?;
        top += BAR;
    }
    area.present()?;
    Ok(())
}
