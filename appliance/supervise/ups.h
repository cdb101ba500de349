/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UPS of box.cfg. Reads the file of sekisho-ups.service every two seconds, and records changes
 * of the power. When the battery ends, and the policy in force says so, writes the file that makes
 * the machine turn off (sekisho-power-off.path). The program that communicates with the UPS server
 * runs as another user, and only writes its own file; it cannot turn the machine off.
 */
#ifndef SEKISHO_SUPERVISE_UPS_H
#define SEKISHO_SUPERVISE_UPS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/box/companions.h"

struct supervisor;

struct ups_state {
	struct ups_watch watch;
	char of[UPS_NAME_MOST]; /* the UPS, "" = none */
	uint64_t look_at;	/* monotonic ns */
	bool turns_off;		/* box.cfg said so at the last look */
};

uint64_t ups_due(struct supervisor *s, uint64_t now);

#endif
