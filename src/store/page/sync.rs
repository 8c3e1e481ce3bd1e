//! Bringing the pages to what the probe files say, without losing what was published on them.

use rusqlite::{Transaction, TransactionBehavior, params};

use super::{PageInfo, PageStore, component_page_id, id::group_id, page_id};
use crate::model::Timestamp;
use crate::store::StoreError;

impl PageStore {
    /// Creates, renames and reorders pages, groups and components as `pages` say, and retires
    /// those that it does not name: they are no longer shown but for old incidents, and come back
    /// with their history when they are named again.
    pub fn sync(&mut self, pages: &[PageInfo], now: Timestamp) -> Result<(), StoreError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Everything is retired first and named again below. What was already retired gets 2, so
        // that coming back can be told from having been there all along.
        for table in ["page", "component_group", "component"] {
            tx.execute(&format!("UPDATE {table} SET retired = retired + 1"), [])?;
        }
        for (position, page) in (1_i64..).zip(pages) {
            sync_page(&tx, page, position, now)?;
        }
        for table in ["page", "component_group", "component"] {
            tx.execute(&format!("UPDATE {table} SET retired = 1 WHERE retired > 1"), [])?;
        }
        tx.commit()?;
        Ok(())
    }
}

fn sync_page(
    tx: &Transaction<'_>,
    page: &PageInfo,
    position: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = page_id(&page.platform);
    tx.execute(
        "INSERT INTO page (id, platform, name, time_zone, position, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (id) DO UPDATE
         SET name = ?3, time_zone = ?4, position = ?5, retired = 0",
        params![
            id,
            page.platform.as_str(),
            page.name,
            page.time_zone.name(),
            position,
            now.as_micros()
        ],
    )?;
    // Groups and components without one share one row of positions; a group stands where its
    // first component does, and its components count from 1 inside of it.
    let mut top: Vec<(Option<&str>, i64)> = Vec::new();
    for component in &page.components {
        let group = component.group.as_deref();
        let known = group.and_then(|_| top.iter().position(|(name, _)| *name == group));
        let index = known.unwrap_or_else(|| {
            top.push((group, 0));
            top.len() - 1
        });
        let at_top = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        if let (Some(name), None) = (group, known) {
            sync_group(tx, &id, &group_id(&page.platform, name), name, at_top, now)?;
        }
        let Some((_, members)) = top.get_mut(index) else { continue };
        *members += 1;
        tx.execute(
            "INSERT INTO component
                 (id, page_id, group_id, name, description, position, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
             ON CONFLICT (id) DO UPDATE
             SET group_id = ?3, name = ?4, description = ?5, position = ?6,
                 -- Nobody spoke for it while it was away, and nobody will set it right.
                 status = iif(retired > 1, 'operational', status), retired = 0",
            params![
                component_page_id(&component.id),
                id,
                group.map(|name| group_id(&page.platform, name)),
                component.name,
                component.description,
                if group.is_some() { *members } else { at_top },
                now.as_micros()
            ],
        )?;
    }
    Ok(())
}

fn sync_group(
    tx: &Transaction<'_>,
    page: &str,
    id: &str,
    name: &str,
    position: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO component_group (id, page_id, name, position, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (id) DO UPDATE SET name = ?3, position = ?4, retired = 0",
        params![id, page, name, position, now.as_micros()],
    )?;
    Ok(())
}
