/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the box, as anybody who asks for its status, and at its grave records: what the ledger is kept by. */
#ifndef SEKISHO_MGMT_NOTIFY_LOOK_H
#define SEKISHO_MGMT_NOTIFY_LOOK_H

#include "mgmt/notify/ledger.h"

#define LOOK_S 2 /* between two */

struct look {
	const char *socket;
	char site[100], contact[512]; /* as the last answer had them */
	bool new_ledger;	      /* what was recorded before anybody was told is no news */
	unsigned absent;	      /* looks in a row without an answer */
	bool sure;		      /* the records are those that were looked at before */
};

void look(struct look *k, struct ledger *l);

#endif
