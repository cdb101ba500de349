/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs that send alarms share. Every two seconds they read the box's status, which
 * anybody may ask for, and its grave records, to update the ledger; and they send what waits. While
 * sending fails, the wait doubles each time. A file tells the daemon that sending fails, or that
 * the ledger cannot be saved. Alarms are still sent if the ledger cannot be saved.
 */
#ifndef SEKISHO_MGMT_NOTIFY_OUTLET_H
#define SEKISHO_MGMT_NOTIFY_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "mgmt/notify/ledger.h"

/* Where alarms are sent: the file that the daemon writes from box.cfg (appliance/box/companions.h)
 * for mail, and the one for SNMP. settings.c reads them. */

enum outlet_kind { OUTLET_MAIL, OUTLET_SNMP };

struct outlet_settings {
	enum outlet_kind kind;
	char *text; /* the file's text; the other members point into it */
	struct addr address;
	uint16_t port;
	const char *user; /* of mail: "" = without a login */
	/* of mail; to: recipients, separated by blanks */
	const char *name, *ca, *from, *to;
	enum lang lang;
	unsigned every_s; /* seconds between two sendings, at least */
};

/* 0 or negative errno; in both cases `text` is owned by the caller. */
int outlet_settings_read(const char *path, enum outlet_kind kind, struct outlet_settings *ret, struct err *e);

/* ---- looking and sending (outlet.c) ---------------------------------------------------------- */

#define OUTLET_WHY 110 /* bytes, as in appliance/box/companions.h */

struct outlet {
	const char *program; /* its name, in messages on standard error */
	struct outlet_settings s;
	int state_fd, run_fd;
	struct ledger ledger;
	/* Looking. */
	const char *socket;
	char site[100], contact[512]; /* from the last answer */
	bool new_ledger;	      /* the ledger is new: records from before it are not sent */
	unsigned absent;	      /* looks in a row without an answer */
	/* the records are a continuation of those of the last look: this was checked once, and the
	 * box has answered every question since */
	bool sure;
	/* Sending. */
	/* next_s: when to try again (boot time); back_off_s: the present wait */
	uint64_t next_s, back_off_s;
	uint64_t failing_s; /* boot time of the first failure in a row, 0 = none */
	char why[OUTLET_WHY];
	bool tried;	    /* a person has a test message sent, which does not wait */
	uint64_t unsaved_s; /* boot time since which the ledger cannot be saved; 0 = it can */
	char unsaved[OUTLET_WHY];
};

/* Reads the program's arguments, settings and ledger. 0, or the exit status of the program. Before
 * the call, only the member `program` of *o is set. */
int outlet_open(struct outlet *o, enum outlet_kind kind, int argc, char **argv);
/* Reads the status and sends alarms for ever. `tell` is called when something waits and it is time
 * to try; it calls outlet_failed or outlet_well. */
_Noreturn void outlet_run(struct outlet *o, void (*tell)(struct outlet *o));
void outlet_failed(struct outlet *o, const char *why);
void outlet_well(struct outlet *o);
/* Saves the ledger. A failure to save does not count as a failure to send, and delays nothing. */
void outlet_save(struct outlet *o);
/* Seconds since 1970. */
/* A line of CREDENTIALS_DIRECTORY's file, from 0, without its end; "" if there is none, or if it is
 * "-", which the unit uses for none. */
void outlet_credential(const char *file, unsigned line, char *out, size_t size);

#endif
