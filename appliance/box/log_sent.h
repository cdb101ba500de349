/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many records rsyslogd (box/companions.h) has sent to the log server. The position that
 * rsyslogd has noted for each file is compared with the files; both are only read. The note says
 * that the connection accepted a record, not that the server stored it.
 */
#ifndef SEKISHO_BOX_LOG_SENT_H
#define SEKISHO_BOX_LOG_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define HANDED_TIME 32u

struct handed {
	/* first record in the plain files, which are the files that are sent; 0 = there is none */
	uint64_t first;
	uint64_t last; /* the newest record in them */
	/* how many of these records are not noted as sent. Up to 15 of them may have been sent
	 * already (persistStateInterval) */
	uint64_t waiting;
	uint64_t next;		 /* the first waiting record, 0 = none */
	char since[HANDED_TIME]; /* the time in that record; "" = none */
	/* wall time: when rsyslogd last wrote a note about these files; 0 = never */
	uint64_t noted_ns;
	bool older; /* there are packed files before them, which are not sent */
};

/*
 * `journal`: the folder of the records; `notes`: the folder in which rsyslogd keeps its positions,
 * -1 = there is none. 0 or negative errno: -EBADMSG when the notes are invalid.
 */
int handed_look(int journal, int notes, struct handed *ret, struct err *e);

#endif
