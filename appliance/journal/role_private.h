/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role, for its own files alone: role.c is its start, its loop and its end, role_write.c the way of an event into
 * a line, role_messages.c what the supervisor says and asks.
 */
#ifndef SEKISHO_JOURNAL_ROLE_PRIVATE_H
#define SEKISHO_JOURNAL_ROLE_PRIVATE_H

#include "appliance/base/json.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/names.h"
#include "appliance/journal/share.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define SOURCES 48u

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct journal_role {
	struct journal chain;
	struct names names;
	struct merge merge;
	struct shares shares;
	struct source sources[SOURCES];
	size_t n_sources;
	uint64_t sync_at;    /* monotonic: latest; 0 = nothing to sync */
	uint64_t lost;	     /* records that others could not hand over */
	uint64_t malformed;  /* no records, or not that role's to send */
	uint64_t unwritable; /* too large for a line */
	json_t *held;	     /* the record that the disk did not take; owned */
	uint64_t retry_at;
	bool was_empty; /* at the start, and nobody has said yet whether that is right */
	uint64_t failures;
	char trouble[sizeof(((struct err *)0)->text)]; /* why the disk takes no more, "" = it does */
};

/* ---- role_write.c ------------------------------------------------------------------------------------------------ */

/* One record of a role: merged, shared out or written. */
void role_take(struct journal_role *j, const struct event *e, enum role from);
/* Something about the journal itself. */
void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value);
/* What is due of sums and floods; all of it with `all`. */
void role_write_merged(struct journal_role *j, bool all);
/* The record that the disk did not take, when it is time to try again. */
void role_retry(struct journal_role *j, uint64_t now);
void role_sync(struct journal_role *j, uint64_t now, bool at_once);

/* ---- role_messages.c --------------------------------------------------------------------------------------------- */

/* All that waits. False: the supervisor is gone or said what it may not say. */
bool role_control(struct journal_role *j);

#endif
