/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failed logins: five within 15 minutes lock a name for 15 minutes, but only for the address that
 * they came from (for IPv6, its /64). So strangers cannot lock anybody out, and the console does
 * not use this at all. Names without an account are counted in the same way, so neither the time
 * nor the text of an answer shows which accounts exist. Memory is fixed: when all entries are in
 * use, the least important one is replaced. Time is a parameter.
 */
#ifndef SEKISHO_ACCOUNTS_LOCKOUT_H
#define SEKISHO_ACCOUNTS_LOCKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"

#define LOCKOUT_FAILURES 5u
#define LOCKOUT_WINDOW_NS (15ull * 60 * 1000000000)
#define LOCKOUT_NS (15ull * 60 * 1000000000)
#define LOCKOUT_PLACES 1024u

struct lockout_entry {
	/* A digest, because people type passphrases into the wrong field. */
	uint8_t name[16];
	struct addr from; /* the address of the first failure, which stands for its network */
	bool taken;
	uint32_t n;			   /* number of entries in `failed`, the oldest first */
	uint64_t failed[LOCKOUT_FAILURES]; /* ns */
	uint64_t until;			   /* ns: end of the lock; 0 = it is not locked */
	uint64_t refused;		   /* logins while it was locked */
};

struct lockout {
	struct lockout_entry all[LOCKOUT_PLACES];
};

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Counts a failed login. True when it locks the name. */
bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Takes the last failure back: that login could not be judged, or was no guess. */
void lockout_take_back(struct lockout *l, const char *name, const struct addr *from);
/* Counts a login while the name is locked. True for the first one and then for each hundredth,
 * which have to be recorded. */
bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count);
void lockout_forget(struct lockout *l, const char *name, const struct addr *from);
/* Forgets all failures under that name, from everywhere. Returns the number of locks that
 * it lifted. */
size_t lockout_lift(struct lockout *l, const char *name, uint64_t now);
/* The locks of that name, one after the other: the first one is behind NULL. NULL = no more. */
const struct lockout_entry *lockout_next(const struct lockout *l, const char *name, uint64_t now,
					 const struct lockout_entry *behind);
size_t lockout_count(const struct lockout *l, uint64_t now); /* the number of locked names */

#endif
