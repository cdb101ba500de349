/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How telling fares: since when it fails, why, and when it is tried again, twice as late each time; and the file that says so to the daemon. That what was
 * told cannot be kept on the disk is said there too, and keeps nothing from being told.
 */
#ifndef SEKISHO_MGMT_NOTIFY_FARE_H
#define SEKISHO_MGMT_NOTIFY_FARE_H

#include "appliance/base/addr.h"
#include "mgmt/notify/ledger.h"

#define FARE_WHY 110 /* as appliance/box/companions.h has room for */

struct fare {
	const char *program;	     /* by which it speaks on its standard error */
	uint64_t next_s, back_off_s; /* boot time; seconds */
	uint64_t failing_s;	     /* boot time of the first failure in a row, 0 = none */
	char why[FARE_WHY];
	uint64_t unsaved_s; /* boot time since which the ledger cannot be kept, 0 = it is */
	char unsaved[FARE_WHY];
};

void fare_failed(struct fare *f, const char *why);
void fare_well(struct fare *f);
/* What became of keeping the ledger: NULL = it is kept, or why it is not. Neither a failure to tell nor a reason to wait. */
void fare_kept(struct fare *f, const char *why_not);
/* Whether it may be tried. */
bool fare_due(const struct fare *f);
/* Seconds since 1970. */
uint64_t fare_wall_s(void);
/* For the daemon, which takes no word of it on trust (appliance/supervise/companions.c). */
void fare_put_down(const struct fare *f, int dirfd, const struct addr *of, uint16_t port, const struct ledger *l);

/* The folder that systemd names in this variable; -1: none. */
int fare_folder(const char *variable);
/* A line of CREDENTIALS_DIRECTORY's file, from 0, without its end; "" where there is none, or "-", which the unit has for none. */
void fare_credential(const char *file, unsigned line, char *out, size_t size);

#endif
