//! The format of a store, by number, and the steps from one to the next.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

/// Format that this version writes.
pub const FORMAT: u64 = 1;

/// Records by key.
pub(crate) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// What is known of the store itself: `format`.
pub(crate) const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
/// Key of the format's number.
pub(crate) const FORMAT_KEY: &str = "format";

/// One step: from the format of its place in the list to the next.
type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// From format 0 on. Format 0 is that of a store without a number: an empty file, or one whose first transaction made
/// the records and was cut short before there were numbers.
const STEPS: [Step; FORMAT as usize] = [number];

fn number(_: &WriteTransaction) -> Result<(), redb::Error> {
    Ok(())
}

/// Takes the steps that are missing, within one transaction; gives the format that was found.
pub(crate) fn migrate(transaction: &WriteTransaction) -> Result<u64, redb::Error> {
    let found = transaction.open_table(FACTS)?.get(FORMAT_KEY)?.map_or(0, |number| number.value());
    // The table must be there for readers, also in a new store.
    transaction.open_table(RECORDS)?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        step(transaction)?;
    }
    if found < FORMAT {
        transaction.open_table(FACTS)?.insert(FORMAT_KEY, FORMAT)?;
    }
    Ok(found)
}
