//! Files whose name is the id of what they hold: shipped ones, and those of a site, which add to
//! them or replace the shipped one of the same name.

use std::collections::BTreeMap;
use std::rc::Rc;

use steward_model::ProfileId;

use super::Site;
use crate::error::{At, Log, Problem};
use crate::tree::{Document, parse_toml};

/// Reads one file; the first argument is its id.
pub(super) type Read<T> = fn(&str, &Document, &Log) -> Option<T>;

/// The shipped files of a folder.
pub(super) fn shipped<T>(
    folder: &str,
    files: &[(&str, &str)],
    read: Read<T>,
    log: &Log,
) -> BTreeMap<String, T> {
    let mut all = BTreeMap::new();
    for (id, text) in files {
        let file: Rc<str> = Rc::from(format!("(shipped) {folder}/{id}.toml"));
        if let Some(one) = parse_toml(file, text, None, log).and_then(|it| read(id, &it, log)) {
            all.insert((*id).to_owned(), one);
        }
    }
    all
}

/// The shipped files of a folder, and the site's own.
pub(super) fn collect<T>(
    site: Site<'_>,
    folder: &str,
    files: &[(&str, &str)],
    read: Read<T>,
) -> BTreeMap<String, T> {
    let mut all = shipped(folder, files, read, site.log);
    for file in site.toml_files(folder) {
        let name = file.trim_end_matches(".toml");
        let id = name.rsplit('/').next().unwrap_or_default();
        if ProfileId::new(id).is_err() {
            let problem = Problem::new("the file's name is no id")
                .allowed("1 to 64 of a-z, 0-9, `-`, `_` and `.`, then .toml");
            site.log.report_unread(&At::file(file.as_str()), problem);
            continue;
        }
        let document = site.toml(&file, None);
        match document.and_then(|document| read(id, &document, site.log)) {
            Some(one) => {
                all.insert(id.to_owned(), one);
            }
            // Nothing is judged by the shipped file of that name.
            None => site.log.mark_unread(),
        }
    }
    all
}
