//! Readings from a Parquet file, parted by meter: two threads, no copy of a text, blocks of fixed
//! size instead of vectors that grow.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int16Type, Int64Type};
use arrow_array::{Array as _, DictionaryArray, RecordBatch};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};

/// Readings of a block: 16 KiB, so what is reserved and empty stays small.
const BLOCK: usize = 1_024;
const BATCH: usize = 65_536;

/// A reading: milliseconds and value.
pub(crate) type Reading = (i64, f64);

/// The readings of one meter in blocks, in the order of arrival within a thread.
#[derive(Default)]
pub(crate) struct Blocks(Vec<Vec<Reading>>);

impl Blocks {
    fn push(&mut self, reading: Reading) {
        match self.0.last_mut() {
            Some(block) if block.len() < BLOCK => block.push(reading),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(reading);
                self.0.push(block);
            }
        }
    }

    /// All readings, block by block.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[Reading]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// Names of meters in the order in which they were first seen.
#[derive(Default)]
struct Names {
    index: HashMap<String, usize>,
    all: Vec<String>,
}

impl Names {
    fn index(&mut self, name: &str) -> usize {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        self.index.insert(name.to_owned(), self.all.len());
        self.all.push(name.to_owned());
        self.all.len() - 1
    }
}

/// What a file holds.
pub(crate) struct Parted {
    /// The meters.
    pub(crate) names: Vec<String>,
    /// Their readings, one part a thread.
    pub(crate) parts: Vec<Vec<Blocks>>,
    /// How many.
    pub(crate) readings: usize,
}

/// Reads `file` with `threads`.
pub(crate) fn read(file: &Path, threads: usize) -> Parted {
    let metadata = ArrowReaderMetadata::load(&File::open(file).unwrap(), Default::default());
    let metadata = metadata.unwrap();
    let groups = metadata.metadata().num_row_groups();
    let (next, readings) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let names = Mutex::new(Names::default());
    let parts = std::thread::scope(|scope| {
        let work = || {
            let mut meters: Vec<Blocks> = Vec::new();
            loop {
                let group = next.fetch_add(1, Ordering::Relaxed);
                if group >= groups {
                    return meters;
                }
                let file = File::open(file).unwrap();
                let reader =
                    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
                let reader = reader.with_row_groups(vec![group]).with_batch_size(BATCH);
                for batch in reader.build().unwrap() {
                    let batch = batch.unwrap();
                    readings.fetch_add(batch.num_rows(), Ordering::Relaxed);
                    part(&batch, &names, &mut meters);
                }
            }
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.collect()
    });
    Parted {
        names: names.into_inner().unwrap().all,
        parts,
        readings: readings.into_inner(),
    }
}

fn part(batch: &RecordBatch, names: &Mutex<Names>, meters: &mut Vec<Blocks>) {
    let meter: &DictionaryArray<Int16Type> = batch.column(0).as_dictionary();
    let texts = meter.values().as_string::<i32>();
    let local: Vec<usize> = {
        let mut names = names.lock().unwrap();
        let keys = 0..texts.len();
        keys.map(|key| names.index(texts.value(key))).collect()
    };
    let known = local.iter().max().map_or(0, |last| last + 1);
    if meters.len() < known {
        meters.resize_with(known, Blocks::default);
    }
    let at = batch.column(1).as_primitive::<Int64Type>().values();
    let value = batch.column(2).as_primitive::<Float64Type>().values();
    for ((key, at), value) in meter.keys().values().iter().zip(at).zip(value) {
        let index = local[usize::try_from(*key).unwrap()];
        meters[index].push((*at, *value));
    }
}
