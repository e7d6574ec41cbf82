//! Images in a folder for each class.

use super::{Sides, picture};
use crate::data::codes::{Codes, Names};
use crate::data::reading::{Flaw, ReadError, Reading, Side};
use crate::data::records::{Columns, Records, Truth};

pub(super) fn read(reading: &mut Reading<'_>, known: Option<&Codes>) -> Result<Sides, ReadError> {
    let names = [pictures(reading, Side::Train)?, pictures(reading, Side::Test)?];
    let classes = match known {
        Some(known) if !known.classes.is_empty() => known.classes.clone(),
        _ => {
            let mut classes: Vec<String> = names[0].iter().map(|(class, _)| class.clone()).collect();
            classes.dedup();
            classes
        }
    };
    let numbers = Names::new(&classes);
    let mut sides = Vec::new();
    for names in &names {
        let (mut images, mut found) = (picture::none(reading)?, Vec::new());
        for ((class, name), number) in names.iter().zip(1..) {
            let stored = reading.required(name)?;
            let read = match numbers.number(class) {
                Some(class) => picture::pixels(&stored.bytes, &images).map(|pixels| (class, pixels)),
                None => Err(format!("`{class}` is no class of the training records")),
            };
            if let Some((class, pixels)) = reading.record(&stored, number, read) {
                images.pixels.extend(pixels);
                found.push(class);
            }
        }
        sides.push(Records { columns: Columns::Images(images), truth: Truth::Classes(found) });
    }
    let sides = sides.try_into().unwrap_or_else(|_| unreachable!("there are two sides"));
    Ok(Sides { codes: Codes { classes, ..Codes::default() }, ..Sides::plain(sides) })
}

/// Classes and names of the pictures of a side, in the order of their names.
fn pictures(reading: &mut Reading<'_>, side: Side) -> Result<Vec<(String, String)>, ReadError> {
    let (named, usual) = (reading.named(side), [side.name().to_owned()]);
    let folders = if named.is_empty() { &usual } else { named };
    let mut found = Vec::new();
    for folder in folders {
        for name in reading.store.list(folder)? {
            let class = name.trim_start_matches(folder.as_str()).trim_start_matches('/').split_once('/');
            match class {
                Some((class, _)) if picture::is_picture(&name) => found.push((class.to_owned(), name)),
                _ => {
                    let path = reading.store.path(&name).display().to_string();
                    let cause = "it is no picture in the folder of a class".to_owned();
                    reading.skip(Flaw { path, unit: "file", number: 1, cause });
                }
            }
        }
    }
    found.sort();
    if found.is_empty() && side == Side::Train {
        return Err(ReadError::NoFile { path: reading.store.path(&folders[0]).display().to_string() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use scenarios::model::TensorShape;
    use scenarios::scenario::{FileFormat, Files};

    use super::*;
    use crate::data::format::testing::Folder;
    use crate::data::needs::Needs;

    #[test]
    fn the_folder_is_the_class() {
        let folder = Folder::new();
        for (name, colour) in [("train/dog/1.png", 50), ("train/cat/b/2.png", 60), ("train/dog/0.png", 70)] {
            folder.write(name, &picture::png(4, 4, [colour; 3]));
        }
        folder.write("test/dog/x.png", &picture::png(8, 8, [80; 3]));
        folder.write("test/cow/y.png", &picture::png(8, 8, [80; 3]));
        folder.write("test/dog/z.png", b"broken");
        let shape = TensorShape::Image { channels: 3, height: 4, width: 4 };
        let needs = Needs::Numbers { shape, outputs: 2 };
        let files = Files { max_broken: 0.3, ..Files::new(FileFormat::ImageFolders, ".") };
        let (sides, broken) = folder.read_again(&files, &needs, None).expect("two of six may be broken");
        assert_eq!((broken, &sides.codes.classes[..]), (2, &["cat".to_owned(), "dog".to_owned()][..]));
        assert_eq!(sides.train.truth, Truth::Classes(vec![0, 1, 1]));
        let Columns::Images(images) = &sides.train.columns else { unreachable!("they are images") };
        assert_eq!([images.image(0)[3], images.image(1)[3], images.image(2)[3]], [60, 70, 50]);
        assert_eq!(sides.test.truth, Truth::Classes(vec![1]));
        let vector = Needs::Numbers { shape: TensorShape::Vector(48), outputs: 2 };
        folder.check_error(&files, &vector, "the files hold images, but the network reads numbers");
        Folder::new().check_error(&files, &needs, "there is no file `train`");
    }
}
