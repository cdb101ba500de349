/* SPDX-License-Identifier: Apache-2.0 */
/* Finds faults in a status other than missing processes, in words, the most serious first. Pure. */
#ifndef SEKISHO_MGMT_STATE_FAULTS_H
#define SEKISHO_MGMT_STATE_FAULTS_H

#include "mgmt/state/read.h"

/* An array of sentences without an end mark, owned by the caller; empty when nothing is wrong. */
json_t *faults_find(const json_t *status, enum lang l);
/* As faults_find. *ret_links is an array of the same length: for a sentence about a link, the
 * object of its interface in the status; for any other, null. Both are owned by the caller. */
json_t *faults_find_links(const json_t *status, enum lang l, json_t **ret_links);
/* The zones of an interface with their labels: "crane (RTG 1-4), gate"; for an admin interface,
 * that it is for management. */
void faults_zones(const json_t *interface, enum lang l, char *out, size_t size);

/* The reason why the box does not trust its clock, from "clock" of the status. Pure. */

#define CLOCK_WHY 240u

/* Returns "" when the clock is trusted. */
const char *clock_why(const json_t *clock, enum lang l, char out[CLOCK_WHY]);

#endif
