//! Plots as SVG, drawn without fonts: the viewer's are used.
//!
//! | file | subject |
//! |---|---|
//! | `bars` | contenders beside each other |
//! | `lines` | contenders over something that grows |

mod bars;
mod lines;

pub(crate) use bars::{bars, medians};
pub(crate) use lines::{Axes, Line, lines};

use plotters::prelude::RGBColor;

/// A drawn plot.
pub(crate) struct Plot {
    /// The file's name, without its ending.
    pub(crate) file: String,
    pub(crate) title: String,
    pub(crate) svg: String,
}

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 40, 40);

/// Colours that those who see red and green as one can tell apart (Okabe and Ito); ours come first, in blue.
const OURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(86, 180, 233), RGBColor(0, 60, 110)];
const PEERS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(120, 120, 120),
    RGBColor(140, 86, 75),
];

/// What nobody can take: drawn in ink.
const OPTIMAL: &str = "optimal";

fn is_ours(name: &str) -> bool {
    name.starts_with("cacheado")
}

/// A colour for each of these names.
fn colours<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<RGBColor> {
    let (mut ours, mut peers) = (OURS.iter().cycle(), PEERS.iter().cycle());
    let pick = |name: &str| match name {
        OPTIMAL => None,
        name if is_ours(name) => ours.next(),
        _ => peers.next(),
    };
    names.into_iter().map(pick).map(|colour| colour.copied().unwrap_or(INK)).collect()
}
