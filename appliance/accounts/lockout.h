/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failed logins: five within 15 minutes lock a name for 15 minutes, for the address that they came from alone (of IPv6, its /64). So a stranger
 * keeps nobody out, and the console is not asked here at all. Names that no account has count alike: how long an answer takes or what
 * it says tells nobody which there are. Fixed memory: when all places are taken, the one that matters least gives way. Time is given.
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
	uint8_t key[16]; /* of name and network */
	bool taken;
	uint32_t n;			   /* failures below, the oldest first */
	uint64_t failed[LOCKOUT_FAILURES]; /* ns */
	uint64_t until;			   /* locked; 0 = not */
	uint64_t refused;		   /* while locked */
};

struct lockout {
	struct lockout_entry all[LOCKOUT_PLACES];
};

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* True when this failure locks. */
bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* The last failure was none: nobody could tell. */
void lockout_take_back(struct lockout *l, const char *name, const struct addr *from);
/* A try while it was locked; true for the first and then each hundredth, which is worth a record. */
bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count);
void lockout_forget(struct lockout *l, const char *name, const struct addr *from);
size_t lockout_count(const struct lockout *l, uint64_t now); /* that are locked */

#endif
