/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interface at the mirror port of a switch, which must not send anything. While it is taken, it
 * has no address, no ARP, no neighbour discovery and no IPv6, and its frames go only to the
 * capture. Afterwards it is restored. This module does what needs a privilege; it reads no frames.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_MIRROR_H
#define SEKISHO_MGMT_CLI_LEARN_MIRROR_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "mgmt/cli/cli.h"
#include "policy/check/model.h"

#define MIRROR_LOSSES 3u

struct mirror {
	char name[IFNAMSIZ];
	short flags;	     /* the flags that the interface had before */
	char settings[4][8]; /* earlier kernel settings; "" = there is no such setting */
	uint64_t sent, lost[MIRROR_LOSSES];
	/* the card's counters of lost frames, to be read once; -1: it has none */
	int losses[MIRROR_LOSSES];
	int lock; /* while it is open, no other run can take the interface */
};

/*
 * Takes the interface. False, after printing the reason: it does not exist, is in use (perhaps by
 * another learn), or box.cfg names it. Then nothing has changed, and *ret_status is set. `model`:
 * of a policy that was named on the command line, or NULL.
 */
bool mirror_take(struct cli *c, const char *device, const struct model *model, struct mirror *ret, int *ret_status);
/* The number of frames for which the card had no room since it was taken. Call it only once; it
 * needs no privilege. */
uint64_t mirror_missed(const struct mirror *m);
/* Restores the interface. Prints what was sent nevertheless, and prints and returns how many frames
 * the card lost. */
uint64_t mirror_give_back(struct cli *c, const struct mirror *m);

#endif
