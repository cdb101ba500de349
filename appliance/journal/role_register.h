/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers: what the role keeps beside the records, each in a file of its own (role_NAME.c). A
 * register has four functions: _open reads it at the start, and records it if the file is damaged;
 * _write does what is due, above all saves what has changed (`all`: at the end of the process,
 * whatever is not saved); _due is the monotonic ns of its next _write, UINT64_MAX = never; _status
 * fills in its part of the status.
 */
#ifndef SEKISHO_JOURNAL_ROLE_REGISTER_H
#define SEKISHO_JOURNAL_ROLE_REGISTER_H

#include "appliance/base/columns.h"
#include "appliance/journal/known.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

struct journal_role;
struct keep_file;

/* Monotonic ns of the earliest next save of a register: if something changed, and if only counts
 * and times did. */
struct role_turn {
	uint64_t at, stale_at;
};

/* When it is next saved. */
uint64_t role_turn_due(const struct role_turn *t, bool changed, bool stale);
/* Saves it now, with the reserve if needed. 0 or negative errno. */
int role_register_save(struct journal_role *j, const struct columns_file *f, const void *row, struct err *e);
/* Saves it if that is due, or with `all`. */
void role_register_write(struct journal_role *j, const struct columns_file *f, const void *row, struct role_turn *t,
			 bool *changed, bool *stale, uint64_t now, bool all);

/* ---- devices --------------------------------------------------------------------------------- */

#define DEVICE_PACES 64u

/* For an interface: how many records of new devices are still allowed, and how many devices were
 * not recorded one by one. */
struct device_pace {
	uint32_t iif, taken;
	uint64_t filled_ns; /* monotonic */
	uint64_t over, since_ns;
	struct event_generation generation;
};

/* A new device that has not announced an IP address yet; its MAC address is heard before that. */
struct device_pending {
	uint32_t number; /* 0 = free */
	uint32_t iif;
	struct event_generation generation;
	struct known_told told;
	uint64_t due_ns; /* monotonic ns: when it is recorded without an address */
};

#define DEVICE_PENDING 64u

void role_device_open(struct journal_role *j);
/* A device was heard. */
void role_device_heard(struct journal_role *j, const struct event *e);
void role_device_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_device_due(const struct journal_role *j);
void role_device_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about devices, and returns the answer. `fd`: the copy that comes
 * with DEVICES_TRY and DEVICES_TAKE, else -1; the caller keeps it. */
json_t *role_device_order(struct journal_role *j, const struct msg_devices *m, int fd, enum answer_status *ret);

/* ---- servers with weak TLS ------------------------------------------------------------------- */

void role_weak_open(struct journal_role *j);
/* Takes an event about sessions with weak TLS. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Takes the event that a person has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_weak_due(const struct journal_role *j);
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

/* ---- for how long conduits that observe had nothing to refuse -------------------------------- */

void role_clean_open(struct journal_role *j);
/* Takes any event, and counts what an observing conduit would have refused. */
void role_clean_heard(struct journal_role *j, const struct event *e, enum role from);
/* To be called when a generation was added to the names. */
void role_clean_rule(struct journal_role *j);
void role_clean_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_clean_due(const struct journal_role *j);
/* How long each conduit has been clean, for people. */
json_t *role_clean_json(struct journal_role *j);

/* ---- signs of attacks ------------------------------------------------------------------------ */

void role_attack_open(struct journal_role *j);
/* To be called when a generation was added to the names: its thresholds may differ. */
void role_attack_rule(struct journal_role *j);
/* Evaluates a record. If an alarm rings, this is recorded. */
void role_attack_heard(struct journal_role *j, const struct event *e);
/* Also ends silences, and runs the self-test. */
void role_attack_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_attack_due(const struct journal_role *j);
void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about alarms, and returns the answer. */
json_t *role_attack_order(struct journal_role *j, const struct msg_attacks *m, enum answer_status *ret);

/* ---- counts by hour, for charts over time ---------------------------------------------------- */

void role_trends_open(struct journal_role *j);
/* Takes any event. True: it exists only for these counts, and no record is made of it. */
bool role_trends_heard(struct journal_role *j, const struct event *e);
/* Takes an event of which a record is about to be written. */
void role_trends_put(struct journal_role *j, const struct event *e);
void role_trends_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_trends_due(const struct journal_role *j);
/* The answer to a question about trends. */
json_t *role_trends_json(struct journal_role *j, const struct msg_trends *m);

/* ---- legal holds, which keep files ----------------------------------------------------------- */

void role_hold_open(struct journal_role *j);
/* True when one of the holds stands for a list that could not be read. */
bool role_hold_damaged(const struct journal_role *j);
/* Whether a hold keeps this file. */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f);
/* Carries out an order of a person about holds, and returns the answer. */
json_t *role_hold_order(struct journal_role *j, const struct msg_hold *m, enum answer_status *ret);

#endif
