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

#endif
