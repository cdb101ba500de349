/* SPDX-License-Identifier: Apache-2.0 */
/* What `status` finds wrong besides processes, in words, worst first. */
#ifndef SEKISHO_MGMT_CLI_WORDS_FAULTS_H
#define SEKISHO_MGMT_CLI_WORDS_FAULTS_H

#include "mgmt/cli/cli.h"

/* Sentences without an end mark, as an array that is the caller's; empty when nothing is wrong. */
json_t *faults_find(struct cli *c, const json_t *status);
/* "crane (RTG 1-4), gate": the zones of an interface with their labels; management for an interface of that side. */
void faults_zones(struct cli *c, const json_t *interface, char *out, size_t size);

#endif
