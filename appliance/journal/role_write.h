/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, signatures over lines, and what waits while the disk is full. */
#ifndef SEKISHO_JOURNAL_ROLE_WRITE_H
#define SEKISHO_JOURNAL_ROLE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

struct err;
struct journal_recovery;
struct journal_role;
struct msg_preserve;

/* Records an event about the journal itself; `object` may be NULL. */
void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object);
/* Writes an event, or lets it wait for room. `records`: the number of records that it sums up; 1 =
 * a single record. */
void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* The record of an event as JSON: a new reference, NULL = no memory. */
json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* Writes a record now or not at all; takes the reference. `grave`: it may use the reserve. False:
 * the disk cannot be written. True: it is written, or counted as unwritable; in that case it got
 * no number. */
bool role_write(struct journal_role *j, json_t *record, bool grave);
void role_sync(struct journal_role *j, uint64_t now, bool at_once);

/* Signs the lines when there are enough unsigned ones, or a file is full. */
void role_sign_written(struct journal_role *j);
/* Signs the lines when enough time has passed. */
void role_sign(struct journal_role *j, uint64_t now);
/* Signs now. `grave` as in role_write. False: the disk cannot be written or there is no key, and
 * this will be tried again; or there is no record. */
bool role_checkpoint(struct journal_role *j, bool grave);
/* Records that evidence was preserved, signs that record, and signs the digest of the evidence.
 * Returns the answer. */
json_t *role_preserved(struct journal_role *j, const struct msg *m, enum answer_status *ret);
/* Reads or makes the signing key if that was not done yet. False: there is none; signing.no_key
 * says why. */
bool role_key(struct journal_role *j);

/* Opens the chain in a folder and makes the reserve. If there is no room for the reserve, records
 * wait. 0, or negative errno: no chain. */
int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e);
/* Whether a negative errno means a full disk. */
bool role_no_room(int code);
/* From now on records wait for room. */
void role_press(struct journal_role *j, const struct err *e);
/* When it is time to try again: writes waiting records, the most serious first, and then the record
 * of the dropped ones. */
void role_retry(struct journal_role *j, uint64_t now);
/* At the end of the process: uses up the reserve; less serious records that still wait are counted
 * as left out. */
void role_room_end(struct journal_role *j);

#endif
