/* SPDX-License-Identifier: Apache-2.0 */
/* What the status shows to be wrong besides processes, in words, worst first. Pure. */
#ifndef SEKISHO_MGMT_STATE_FAULTS_H
#define SEKISHO_MGMT_STATE_FAULTS_H

#include "mgmt/state/read.h"

/* Sentences without an end mark, as an array that is the caller's; empty when nothing is wrong. */
json_t *faults_find(const json_t *status, enum lang l);
/* "crane (RTG 1-4), gate": the zones of an interface with their labels; management for an interface of that side. */
void faults_zones(const json_t *interface, enum lang l, char *out, size_t size);

#endif
