/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UPS that another machine watches (box.cfg, `ups`): what the program beside us has put down of its word (images/ups), and what
 * follows from it. Pure: who reads the file, records and turns the machine off is supervise/companions.c.
 *
 * Its word is believed, whoever gives it: the worst that it can do is to turn the box off, and only where `on_low` says so. That it falls
 * silent does nothing: who cuts a cable shall not turn anything off.
 */
#ifndef SEKISHO_BOX_UPS_H
#define SEKISHO_BOX_UPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPS_TEXT 512u	/* the most that such a file may have */
#define UPS_FRESH_S 30u /* it is written every five seconds; an older one says nothing of now */
#define UPS_AWAY_S 15u	/* silence for so long is recorded */
/* A low battery that nobody has turned into a forced shutdown meanwhile: the time that NUT's own programs leave the server (HOSTSYNC). */
#define UPS_LOW_S 15u
/* What stood already when it was first heard of: somebody must be able to take `ups` out of a box that would else go off at each start. */
#define UPS_STOOD_S 300u

enum ups_is { UPS_AWAY, UPS_MAINS, UPS_BATTERY, UPS_LOW, UPS_FORCED };
enum ups_counted { UPS_COUNTED_UNKNOWN, UPS_COUNTED, UPS_NOT_COUNTED };

extern const char *const ups_words[]; /* enum ups_is */

struct ups_said {
	enum ups_is is;
	uint64_t since_s;	  /* by the machine's time since its start, as is all that ends in _s */
	int charge;		  /* percent, -1 = it did not say */
	int runtime_s;		  /* that it expects to last, -1 = it did not say */
	enum ups_counted counted; /* whether its server waits for this box before it takes the power away */
};

/* What a file of n bytes says of the UPS `of` ("ups@10.99.0.7:3493"). Away: it says nothing that can be used, or is of another one, or old. */
struct ups_said ups_read(const void *file, size_t n, const char *of, uint64_t now_s);

/* Over time. Begins as zeros, and anew with another UPS. */
struct ups_watch {
	bool heard;	  /* something since it began */
	enum ups_is is;	  /* the last word, however long it is silent */
	uint64_t since_s; /* that word, by whoever watches */
	bool stood;	  /* it was the first word */
	bool silent, told_away;
	uint64_t silent_s;
	bool told_battery; /* that it is not on mains was recorded */
	bool done; /* the machine was turned off, or would have been: once for each time that the battery is low */
};

/* What has happened, several at once. */
enum {
	UPS_WENT_AWAY = 1,
	UPS_CAME_BACK = 2,
	UPS_ON_BATTERY = 4,
	UPS_ON_MAINS = 8,
	UPS_IS_LOW = 16,
	UPS_IS_FORCED = 32,
	UPS_OFF_NOW = 64
};

/* One look; bits of the above. */
unsigned ups_look(struct ups_watch *w, const struct ups_said *said, uint64_t now_s);

#endif
