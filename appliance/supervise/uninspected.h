/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that were to be inspected and were not: an alarm (`uninspected` of the status), and a record when it begins and when it is over. What is one says unserved.h;
 * read are the kernel's table of queues, what gates have decided (wire/pulse.h), and what enforce tells of the kernel's counters. It is of this daemon alone: a start
 * begins anew.
 */
#ifndef SEKISHO_SUPERVISE_UNINSPECTED_H
#define SEKISHO_SUPERVISE_UNINSPECTED_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct supervisor;

int uninspected_open(struct supervisor *s, struct err *e);
/* Enforce has said what the kernel's counters are. */
void uninspected_told(struct supervisor *s, const struct msg_unanswered *m);
void uninspected_due(struct supervisor *s, uint64_t now);
uint64_t uninspected_next(const struct supervisor *s); /* monotonic ns */
/* For `status` (docs/json.md). */
json_t *json_uninspected(const struct supervisor *s);

#endif
