//! The data that ships inside the program. A test compares the lists with the folders.

/// Profiles by id: the files of `profiles/`.
pub(crate) const PROFILES: &[(&str, &str)] = &[
    (
        "acrel-dtsd1352",
        include_str!("../profiles/acrel-dtsd1352.toml"),
    ),
    (
        "chint-dtsu666",
        include_str!("../profiles/chint-dtsu666.toml"),
    ),
    (
        "eastron-sdm230",
        include_str!("../profiles/eastron-sdm230.toml"),
    ),
    (
        "eastron-sdm630",
        include_str!("../profiles/eastron-sdm630.toml"),
    ),
    (
        "eastron-sdm630-reactive",
        include_str!("../profiles/eastron-sdm630-reactive.toml"),
    ),
    (
        "generic-heat-u32",
        include_str!("../profiles/generic-heat-u32.toml"),
    ),
    (
        "generic-volume-u32",
        include_str!("../profiles/generic-volume-u32.toml"),
    ),
    (
        "schneider-iem3000",
        include_str!("../profiles/schneider-iem3000.toml"),
    ),
    (
        "shelly-gen2-switch",
        include_str!("../profiles/shelly-gen2-switch.toml"),
    ),
    (
        "siemens-pac2200",
        include_str!("../profiles/siemens-pac2200.toml"),
    ),
    (
        "steward-json",
        include_str!("../profiles/steward-json.toml"),
    ),
    (
        "steward-json-heat",
        include_str!("../profiles/steward-json-heat.toml"),
    ),
    (
        "steward-json-solar",
        include_str!("../profiles/steward-json-solar.toml"),
    ),
    (
        "steward-json-volume",
        include_str!("../profiles/steward-json-volume.toml"),
    ),
    (
        "tasmota-sensor",
        include_str!("../profiles/tasmota-sensor.toml"),
    ),
    ("zigbee2mqtt", include_str!("../profiles/zigbee2mqtt.toml")),
];

/// Factor files by name: the files of `factors/`.
pub(crate) const FACTORS: &[(&str, &str)] = &[
    ("cn-fuel", include_str!("../factors/cn-fuel.toml")),
    ("cn-grid", include_str!("../factors/cn-grid.toml")),
    (
        "cn-standard-coal",
        include_str!("../factors/cn-standard-coal.toml"),
    ),
];

/// Calendars by id: the files of `calendars/`.
pub(crate) const CALENDARS: &[(&str, &str)] = &[("cn", include_str!("../calendars/cn.toml"))];

/// Tariffs by id: the files of `tariffs/`.
pub(crate) const TARIFFS: &[(&str, &str)] = &[
    ("example-gas", include_str!("../tariffs/example-gas.toml")),
    ("example-heat", include_str!("../tariffs/example-heat.toml")),
    (
        "example-water",
        include_str!("../tariffs/example-water.toml"),
    ),
    (
        "example-zj-residential",
        include_str!("../tariffs/example-zj-residential.toml"),
    ),
    (
        "example-zj-tou-1-10kv",
        include_str!("../tariffs/example-zj-tou-1-10kv.toml"),
    ),
    (
        "example-zj-two-part-1-10kv",
        include_str!("../tariffs/example-zj-two-part-1-10kv.toml"),
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    fn stems(folder: &str) -> Vec<String> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut stems: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        stems.sort();
        stems
    }

    #[test]
    fn every_file_of_the_folders_ships() {
        let names = |list: &[(&str, &str)]| -> Vec<String> {
            list.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        assert_eq!(names(super::PROFILES), stems("profiles"));
        assert_eq!(names(super::FACTORS), stems("factors"));
        assert_eq!(names(super::CALENDARS), stems("calendars"));
        assert_eq!(names(super::TARIFFS), stems("tariffs"));
        for (name, _) in super::PROFILES {
            assert!(steward_model::ProfileId::new(name).is_ok(), "{name}");
        }
    }
}
