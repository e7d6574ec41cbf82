//! Images with boxes of objects, as COCO and YOLO write them.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Sides, picture};
use crate::data::codes::Codes;
use crate::data::needs::Needs;
use crate::data::reading::{ReadError, Reading, Side, form, number, short};
use crate::data::records::{Columns, Records, Truth};

/// Class, then centre, width and height as shares of the image.
type Object = (usize, [f32; 4]);

/// What COCO writes of a whole set of images (Lin et al., 2014).
#[derive(Debug, Deserialize)]
struct Coco {
    images: Vec<CocoImage>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Debug, Deserialize)]
struct CocoImage {
    id: u64,
    file_name: String,
    width: f32,
    height: f32,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    /// Left, top, width, height in pixels.
    bbox: [f32; 4],
}

#[derive(Debug, Deserialize)]
struct Category {
    id: u64,
    name: String,
}

/// Reads `annotations/instances_SIDE.json` and the images in the folder SIDE. Classes are numbered in the order of their
/// categories' numbers.
pub(super) fn coco(reading: &mut Reading<'_>, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let mut classes = known.map(|known| known.classes.clone()).unwrap_or_default();
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let name = format!("annotations/instances_{}.json", side.name());
        let mut objects = Vec::new();
        let (mut images, files) = (picture::none(reading)?, reading.side(side, &[&name], true)?);
        for stored in files {
            let coco: Coco = serde_json::from_slice(&stored.bytes).map_err(|error| form(&stored, error))?;
            if classes.is_empty() {
                classes = category_names(&coco);
            }
            for (image, number, found) in of_images(&coco, &classes) {
                let file = reading.required(&format!("{}/{}", side.name(), image.file_name))?;
                let read = picture::pixels(&file.bytes, &images).and_then(|pixels| Ok((pixels, found?)));
                if let Some((pixels, found)) = reading.record(&stored, number, read) {
                    images.pixels.extend(pixels);
                    objects.push(found);
                }
            }
        }
        sides.push(Records { columns: Columns::Images(images), truth: Truth::Boxes(objects) });
    }
    check_classes(reading, classes.len())?;
    let sides = sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    Ok(Sides { codes: Codes { classes, ..Codes::default() }, ..Sides::plain(sides) })
}

fn category_names(coco: &Coco) -> Vec<String> {
    let mut categories: Vec<&Category> = coco.categories.iter().collect();
    categories.sort_by_key(|category| category.id);
    categories.into_iter().map(|category| category.name.clone()).collect()
}

/// The images in the order of their numbers, each with its place in the file, from 1, and its objects.
fn of_images<'a>(
    coco: &'a Coco,
    classes: &[String],
) -> impl Iterator<Item = (&'a CocoImage, usize, Result<Vec<Object>, String>)> {
    let place = |category: &Category| classes.iter().position(|name| *name == category.name);
    let numbers: HashMap<u64, usize> =
        coco.categories.iter().filter_map(|category| Some((category.id, place(category)?))).collect();
    let mut of_image: HashMap<u64, Vec<&Annotation>> = HashMap::new();
    for annotation in &coco.annotations {
        of_image.entry(annotation.image_id).or_default().push(annotation);
    }
    coco.images.iter().zip(1..).map(move |(image, number)| {
        let annotations = of_image.get(&image.id).map(Vec::as_slice).unwrap_or_default();
        (image, number, annotations.iter().map(|annotation| of_coco(annotation, image, &numbers)).collect())
    })
}

fn of_coco(annotation: &Annotation, image: &CocoImage, numbers: &HashMap<u64, usize>) -> Result<Object, String> {
    let category = annotation.category_id;
    let class = numbers.get(&category).ok_or_else(|| format!("its category {category} is not known"))?;
    let [left, top, width, height] = annotation.bbox;
    let shares = [
        (left + width / 2.0) / image.width,
        (top + height / 2.0) / image.height,
        width / image.width,
        height / image.height,
    ];
    Ok((*class, inside(shares)?))
}

/// Reads the images in `images/SIDE` with the lines of `labels/SIDE/*.txt`; an image without a file has no objects.
pub(super) fn yolo(reading: &mut Reading<'_>) -> Result<Sides, ReadError> {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let folder = format!("images/{}", side.name());
        let (mut images, mut objects) = (picture::none(reading)?, Vec::new());
        let names: Vec<String> = reading.store.list(&folder)?;
        for name in names.iter().filter(|name| picture::is_picture(name)) {
            let stored = reading.required(name)?;
            let base = name.replacen("images/", "labels/", 1);
            let labels = base.rsplit_once('.').map_or(base.as_str(), |(base, _)| base);
            let labels = reading.optional(&format!("{labels}.txt"))?;
            let (of, text) = labels.as_ref().map_or((&stored, &[][..]), |labels| (labels, &labels.bytes[..]));
            let classes = reading.needs.classes();
            let found = String::from_utf8_lossy(text).lines().map(|line| of_yolo(line, classes)).collect();
            let found: Result<Vec<Object>, (usize, String)> = numbered(found);
            let read = match (picture::pixels(&stored.bytes, &images), found) {
                (Ok(pixels), Ok(found)) => reading.record(of, 1, Ok((pixels, found))),
                (Ok(_), Err((line, cause))) => reading.line(of, line, Err(cause)),
                (Err(cause), _) => reading.record(&stored, 1, Err(cause)),
            };
            if let Some((pixels, found)) = read {
                images.pixels.extend(pixels);
                objects.push(found);
            }
        }
        sides.push(Records { columns: Columns::Images(images), truth: Truth::Boxes(objects) });
    }
    let sides: [Records; 2] = sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    if reading.records == 0 {
        return Err(ReadError::NoFile { path: reading.store.path("images/train").display().to_string() });
    }
    Ok(Sides::plain(sides))
}

/// All objects, or the first line, from 1, that is none.
fn numbered(lines: Vec<Result<Option<Object>, String>>) -> Result<Vec<Object>, (usize, String)> {
    let numbered = lines.into_iter().zip(1..).map(|(line, number)| line.map_err(|cause| (number, cause)));
    numbered.filter_map(Result::transpose).collect()
}

/// An object of a line; none on an empty line.
fn of_yolo(line: &str, classes: usize) -> Result<Option<Object>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.is_empty() {
        return Ok(None);
    }
    let [class, shares @ ..] = &words[..] else { return Ok(None) };
    let class = class.parse::<usize>().ok().filter(|&class| class < classes);
    let class = class.ok_or_else(|| format!("`{}` is no class below {classes}", short(words[0])))?;
    let shares = shares.iter().map(|share| number(share)).collect::<Result<Vec<f32>, String>>()?;
    let shares: [f32; 4] = shares
        .try_into()
        .map_err(|shares: Vec<f32>| format!("it has {} numbers after the class, not 4", shares.len()))?;
    Ok(Some((class, inside(shares)?)))
}

/// A box that is not empty and whose centre is in the image.
fn inside([x, y, width, height]: [f32; 4]) -> Result<[f32; 4], String> {
    let is_box = (0.0..=1.0).contains(&x)
        && (0.0..=1.0).contains(&y)
        && width > 0.0
        && height > 0.0
        && width <= 1.0 + 1e-4
        && height <= 1.0 + 1e-4;
    if is_box {
        Ok([x, y, width, height])
    } else {
        Err(format!("its box {x}, {y}, {width}, {height} is not in the image"))
    }
}

fn check_classes(reading: &Reading<'_>, found: usize) -> Result<(), ReadError> {
    match reading.needs {
        Needs::Objects { classes, .. } if found > *classes => {
            Err(ReadError::TooMany { what: "classes", found, expected: *classes })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use scenarios::model::TensorShape;
    use scenarios::scenario::{BoxFormat, FileFormat, Files};

    use super::super::testing::Folder;
    use super::*;

    const NEEDS: Needs = Needs::Objects { shape: TensorShape::Image { channels: 3, height: 4, width: 4 }, classes: 2 };

    fn files(format: BoxFormat, max_broken: f64) -> Files {
        Files { max_broken, ..Files::new(FileFormat::Boxes(format), ".") }
    }

    #[test]
    fn both_ways_of_writing_boxes_give_the_same_objects() {
        let folder = Folder::new();
        for name in ["a.png", "b.png"] {
            folder.write(&format!("train/{name}"), &picture::png(8, 4, [9; 3]));
            folder.write(&format!("images/train/{name}"), &picture::png(8, 4, [9; 3]));
        }
        let json = r#"{"info": {}, "images": [{"id": 5, "file_name": "a.png", "width": 8, "height": 4},
            {"id": 3, "file_name": "b.png", "width": 8, "height": 4}],
            "annotations": [{"id": 1, "image_id": 5, "category_id": 20, "bbox": [2, 1, 4, 2], "area": 8},
            {"id": 2, "image_id": 5, "category_id": 7, "bbox": [0, 0, 2, 4]}],
            "categories": [{"id": 20, "name": "dog"}, {"id": 7, "name": "cat"}]}"#;
        folder.write("annotations/instances_train.json", json.as_bytes());
        folder.write("labels/train/a.txt", b"1 0.5 0.5 0.5 0.5\n\n0 0.125 0.5 0.25 1\n");
        let objects = vec![vec![(1, [0.5, 0.5, 0.5, 0.5]), (0, [0.125, 0.5, 0.25, 1.0])], vec![]];
        for format in [BoxFormat::Coco, BoxFormat::Yolo] {
            let sides = folder.read(&files(format, 0.0), &NEEDS).expect("sound files");
            assert_eq!(sides.train.truth, Truth::Boxes(objects.clone()), "{format:?}");
            assert_eq!((sides.train.len(), sides.test.len()), (2, 0));
        }
        let few = Needs::Objects { shape: TensorShape::Image { channels: 3, height: 4, width: 4 }, classes: 1 };
        folder.check_error(&files(BoxFormat::Coco, 0.0), &few, "the data has 2 classes, but the network knows 1");
    }

    #[test]
    fn broken_boxes_are_named() {
        let check = |line: &str, cause: &str| {
            let folder = Folder::new();
            folder.write("images/train/a.png", &picture::png(4, 4, [9; 3]));
            folder.write("labels/train/a.txt", format!("0 0.5 0.5 0.1 0.1\n{line}\n").as_bytes());
            let expected = format!(
                "1 of 1 records are broken, more than the 0 allowed; the first is line 2 of `labels/train/a.txt`: {cause}"
            );
            folder.check_error(&files(BoxFormat::Yolo, 0.0), &NEEDS, &expected);
        };
        check("2 0.5 0.5 0.1 0.1", "`2` is no class below 2");
        check("0 0.5 0.5 0.1", "it has 3 numbers after the class, not 4");
        check("0 0.5 1.5 0.1 0.1", "its box 0.5, 1.5, 0.1, 0.1 is not in the image");
        check("0 0.5 x 0.1 0.1", "`x` is no number");
        let folder = Folder::new();
        folder.write("annotations/instances_train.json", b"{}");
        let message = "`annotations/instances_train.json`: missing field `images` at line 1 column 2";
        folder.check_error(&files(BoxFormat::Coco, 0.0), &NEEDS, message);
        Folder::new().check_error(&files(BoxFormat::Yolo, 0.0), &NEEDS, "there is no file `images/train`");
    }
}
