/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interface that only listens: at a switch's mirror port nothing of ours may be heard. While it is taken it has no address, asks and
 * answers no neighbour, speaks no IPv6, and what it receives goes no further than to whoever captures. Afterwards it is as it was.
 * What needs a privilege is here; frames are read by nobody here.
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
	short flags;	     /* as they were */
	char settings[4][8]; /* of the kernel, as they were; "" = there is none of that name */
	uint64_t sent, lost[MIRROR_LOSSES];
	int losses[MIRROR_LOSSES]; /* what the card counts as lost, to be read once; -1: it does not say */
	int lock;		   /* while it is open nobody else takes the interface */
};

/*
 * False, with *ret_status, after saying why it may not be taken: it does not exist, is in use (by another learn, too), or box.cfg names it.
 * `model`: of a policy that was named on the command line, or NULL. Then nothing has changed.
 */
bool mirror_take(struct cli *c, const char *device, const struct model *model, struct mirror *ret, int *ret_status);
/* Frames that the card itself had no room for since it was taken. Once, and without a privilege. */
uint64_t mirror_missed(const struct mirror *m);
/* Back as it was; says what was sent all the same, and returns and says how many the card itself had no room for. */
uint64_t mirror_give_back(struct cli *c, const struct mirror *m);

#endif
