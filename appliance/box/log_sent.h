/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the records went to the log server: what rsyslogd (box/companions.h) has put down of each file that it reads, held against what
 * stands in the files. Reads only, and asks nobody. It is rsyslogd's word, and says that the connection took a record, not that
 * the server kept it.
 */
#ifndef SEKISHO_BOX_LOG_SENT_H
#define SEKISHO_BOX_LOG_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

#define HANDED_TIME 32u

struct handed {
	uint64_t first; /* record with which the files begin that are sent, the plain ones; 0 = there is none */
	uint64_t last;	/* the newest record in them */
	uint64_t
		waiting; /* of them: not put down as handed over. Up to 15 may have gone already (persistStateInterval) */
	uint64_t next;	 /* the first that waits, 0 = none */
	char since[HANDED_TIME]; /* its time, as it says it; "" = none */
	uint64_t noted_ns;	 /* wall: when rsyslogd put down something of these files last; 0 = never */
	bool older;		 /* there are packed files before them, which are not sent */
};

/*
 * `journal`: the folder of the records; `notes`: that in which rsyslogd keeps how far it has read, -1 = there is none. 0 or negative errno:
 * -EBADMSG when what stands there is no answer.
 */
int handed_look(int journal, int notes, struct handed *ret, struct err *e);

#endif
