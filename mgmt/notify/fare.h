/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of sending alarms: since when it fails, why, and when it is tried again (the wait
 * doubles each time); and the file that reports this to the daemon. That file also says if the
 * ledger cannot be saved, which does not stop alarms from being sent.
 */
#ifndef SEKISHO_MGMT_NOTIFY_FARE_H
#define SEKISHO_MGMT_NOTIFY_FARE_H

#include "appliance/base/addr.h"
#include "mgmt/notify/ledger.h"

#define FARE_WHY 110 /* bytes, as in appliance/box/companions.h */

struct fare {
	const char *program;	     /* name of the program in messages on standard error */
	uint64_t next_s, back_off_s; /* when to try again (boot time); the present wait */
	uint64_t failing_s;	     /* boot time of the first failure in a row, 0 = none */
	char why[FARE_WHY];
	uint64_t unsaved_s; /* boot time since which the ledger cannot be saved; 0 = it can */
	char unsaved[FARE_WHY];
};

void fare_failed(struct fare *f, const char *why);
void fare_well(struct fare *f);
/* Notes whether the ledger could be saved: NULL, or why not. That is neither a failure to send nor
 * a reason to wait. */
void fare_kept(struct fare *f, const char *why_not);
/* Whether sending may be tried now. */
bool fare_due(const struct fare *f);
/* Seconds since 1970. */
uint64_t fare_wall_s(void);
/* Writes the state for the daemon, which checks every value (appliance/supervise/companions.c). */
void fare_put_down(const struct fare *f, int dirfd, const struct addr *of, uint16_t port, const struct ledger *l);

/* Opens the folder that systemd names in this environment variable; -1: none. */
int fare_folder(const char *variable);
/* A line of CREDENTIALS_DIRECTORY's file, from 0, without its end; "" if there is none, or if it is
 * "-", which the unit uses for none. */
void fare_credential(const char *file, unsigned line, char *out, size_t size);

#endif
