/* SPDX-License-Identifier: Apache-2.0 */
/* What the BACnet enforcer remembers of a flow. Part of the enforcer, used by nobody else. Requests
 * wait for their answers as in dpi/pending.h. */
#ifndef SEKISHO_DPI_BACNET_STATE_H
#define SEKISHO_DPI_BACNET_STATE_H

#include "dpi/bacnet/bacnet.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

struct bacnet_open {
	struct pending_entry wait;
	bool began; /* segments of the answer came */
	uint8_t invoke;
	uint8_t sequence; /* of the segment of the answer that comes next */
	uint32_t service; /* as rows name it */
	uint8_t choice;	  /* as answers repeat it */
	uint8_t link;	  /* function of the link that answers; 0: an APDU does */
	uint32_t route;
	uint32_t object, property; /* the answer must begin with these; all ones: any */
};

/* A request of the server that its client may answer. */
struct bacnet_told {
	bool is;
	uint8_t invoke, choice;
	uint32_t route;
};

struct bacnet_state {
	struct pending wait;
	bool met; /* bytes went by unseen */
	uint8_t next_told;
	uint32_t asked; /* bit n: row n of `comes` (bacnet.c) was asked for */
	struct bacnet_told told[BACNET_TOLD_MAX];
	struct bacnet_open open[BACNET_OPEN_MAX];
};

#endif
