/* SPDX-License-Identifier: Apache-2.0 */
/* What the status shows to be wrong besides processes, in words, worst first. Pure. */
#ifndef SEKISHO_MGMT_STATE_FAULTS_H
#define SEKISHO_MGMT_STATE_FAULTS_H

#include "mgmt/state/read.h"

/* Sentences without an end mark, as an array that is the caller's; empty when nothing is wrong. */
json_t *faults_find(const json_t *status, enum lang l);
/* The same; *ret_links: at the place of each that is of a link, that interface of the status, else
 * null. Both are the caller's. */
json_t *faults_find_links(const json_t *status, enum lang l, json_t **ret_links);
/* "crane (RTG 1-4), gate": the zones of an interface with their labels; management for an interface
 * of that side. */
void faults_zones(const json_t *interface, enum lang l, char *out, size_t size);

/* Why the box does not trust its clock, by "clock" of the status. Pure. */

#define CLOCK_WHY 240u

/* "" when it is trusted. */
const char *clock_why(const json_t *clock, enum lang l, char out[CLOCK_WHY]);

#endif
