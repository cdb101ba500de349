/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the box's status, which anybody may ask for, and at its grave records, to update
 * the ledger. */
#ifndef SEKISHO_MGMT_NOTIFY_LOOK_H
#define SEKISHO_MGMT_NOTIFY_LOOK_H

#include "mgmt/notify/ledger.h"

#define LOOK_S 2 /* seconds between two looks */

struct look {
	const char *socket;
	char site[100], contact[512]; /* from the last answer */
	bool new_ledger;	      /* the ledger is new: records from before it are not sent */
	unsigned absent;	      /* looks in a row without an answer */
	/* the records continue those of the last look: this was checked, and the box has answered
	 * each time since */
	bool sure;
};

void look(struct look *k, struct ledger *l);

#endif
