/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a backup was last tried out with success, and backups by schedule.
 */
#ifndef SEKISHO_CONTROL_TRIED_H
#define SEKISHO_CONTROL_TRIED_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;

/* When a backup was last tried out with success. 31 days later the status says that the next try is
 * overdue. The time is in a file of control's folder. */
struct tried {
	/* seconds; 0 = unknown: the days count from the moment at which the clock is trusted */
	uint64_t since;
};

void tried_open(struct control *s);
void tried_look(struct control *s, uint64_t now);
/* The record with this text says that a backup was tried out. */
void tried_recorded(struct control *s, const char *text);
/* For `status`: {"since", "days", "overdue", "carried"}; null while the clock is not trusted. */
json_t *json_tried(const struct control *s);

/* Backups by schedule. Records tell root's schedule and how each attempt ended. This file counts
 * the days since the last backup, and says whether the next one is due. */
enum carried_target { CARRIED_STICK, CARRIED_SERVER, CARRIED_TARGETS };

#define CARRIED_WHY 24u
#define CARRIED_DAYS_MOST 31u

struct carried {
	uint32_t days;	 /* between two backups; 0 = none are scheduled */
	uint64_t since;	 /* seconds: when the schedule began; 0 = not known yet */
	uint64_t at;	 /* seconds: the last one; 0 = none */
	uint64_t failed; /* seconds: the last attempt, if it failed; not kept over a restart */
	char why[CARRIED_WHY];
};

void carried_open(struct control *s);
/* To be called only while the clock is trusted. */
void carried_due(struct control *s);
/* One of MACHINE_BACKUP_SCHEDULED, _CARRIED and _NOT_CARRIED was recorded with this text:
 * "TARGET: every N d", "TARGET: off", "TARGET: FILE", "TARGET: WHY". */
void carried_recorded(struct control *s, uint8_t what, const char *text);
/* The list for json_tried: a row for each target that is scheduled. */
json_t *json_carried(const struct control *s);

#endif
