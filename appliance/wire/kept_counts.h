/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what a worker has counted and not recorded yet (dpi/inspect/count.h). The supervisor
 * makes it once for each pair and hands it to each worker of the pair, so it outlives a worker that
 * dies. A worker reads hostile bytes, so its successor checks all that it finds here.
 */
#ifndef SEKISHO_WIRE_KEPT_COUNTS_H
#define SEKISHO_WIRE_KEPT_COUNTS_H

#include <stdint.h>

struct kept_counts {
	/* Operations whose verdicts or record are being handed over at this moment: if the worker
	 * dies now, nobody knows whether they passed or were recorded. They count as if
	 * they were. */
	uint64_t doubt;
	_Alignas(16) uint8_t kinds[512u * 1024u]; /* dpi/inspect/count.c */
	/* worker/lend.h: where lent requests are counted */
	_Alignas(16) uint8_t lent[1280u * 1024u];
};

#endif
