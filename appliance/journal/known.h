/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of devices: who was heard beside the box, by MAC address and interface, and which of them a person has said that he knows. Journal role only; it
 * is kept in the file `devices` beside the records.
 *
 * Until somebody has reviewed it once, a register only learns: what it lists nobody has reviewed, and nothing is new. From then on a device that is not in it
 * is unknown until a person accepts it or takes it off the list. What cannot be read is set aside, and a new register learns; so does one where there was none.
 * Either is told until somebody has reviewed the new one: whoever takes a register away takes away what is known.
 *
 * Whoever sends can be any number of devices. So an interface has at most KNOWN_SHARE that nobody has reviewed, and where all of them together leave no room, the
 * interface that has most gives one up: nobody pushes out those of another interface, and nobody ever pushes out one that is known. What found no
 * place is counted.
 */
#ifndef SEKISHO_JOURNAL_KNOWN_H
#define SEKISHO_JOURNAL_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

#define KNOWN_ACCEPTED 2048u /* devices */
#define KNOWN_NEW 2048u	     /* that nobody has reviewed, of all interfaces */
#define KNOWN_MOST (KNOWN_ACCEPTED + KNOWN_NEW)
#define KNOWN_SHARE 256u       /* ... of one */
#define KNOWN_BYTES (8u << 20) /* of its file */
#define KNOWN_ADDRESSES 4u
#define KNOWN_NAME 65u /* of a zone or an interface, with its NUL */

#define KNOWN_AHEAD_S 86400u /* seconds; sightings come in their order but for moments */

struct known_device {
	uint32_t number; /* given once; 0 = a free place */
	uint8_t mac[6];
	uint8_t state;		    /* enum device_state */
	char interface[KNOWN_NAME]; /* as box.cfg names it */
	char zone
		[KNOWN_NAME]; /* as of the last time; "" = more than one is behind that interface, and no address says which */
	struct addr addresses[KNOWN_ADDRESSES];				/* that it said it had, the last one first */
	uint64_t first, last;						/* heard, seconds since 1970 */
	uint64_t reviewed;						/* seconds since 1970, 0 = never */
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1]; /* of that review */
};

/* What a person ordered last, while it is in the register and not yet surely on record. */
struct known_order {
	uint8_t order; /* enum devices_order; DEVICES_LIST = there is none */
	uint32_t n;    /* devices */
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1];
};

/* Start from known_load(). */
struct known {
	struct known_device list[KNOWN_MOST]; /* by number, free places behind them */
	size_t n;
	uint32_t last;	   /* the number that was given last */
	uint64_t began;	   /* seconds since 1970 */
	uint64_t reviewed; /* when somebody last reviewed it; 0 = never: it learns */
	uint64_t beyond;   /* how often one was heard that found no place, since that was last looked at */
	uint8_t anew; /* enum device_anew: why it does not go on from an earlier one, until somebody has reviewed it */
	struct known_order unrecorded;
	bool changed; /* something is not saved but times; `stale`: those are not */
	bool stale;
};

/* Who was heard, where. */
struct known_sighting {
	uint8_t mac[6];
	struct addr address;	      /* family 0 = it said none */
	const char *interface, *zone; /* zone "" = not known */
	bool asset;		      /* the address is one of an asset of the policy */
	uint64_t now;		      /* seconds since 1970 */
};

enum known_news { KNOWN_NO_NEWS, KNOWN_NEW_DEVICE, KNOWN_OTHER_ZONE, KNOWN_ADDRESS_MOVED, KNOWN_NO_PLACE };

struct known_told {
	enum known_news news;
	uint32_t number; /* of the device, 0 = it found no place */
	char before[2 * KNOWN_NAME +
		    8]; /* the MAC address that had the address, or the place where it is known; "" = none */
};

/*
 * What stood there, or a new one, which is not saved yet: then it says why, and what could not be read was set aside. `records`: there are earlier
 * records in that folder.
 */
enum device_anew known_load(int folder, uint64_t now, bool records, struct known *ret);
int known_save(int folder, struct known *k, struct err *e);
/* The file's bytes, pure. DEVICES_GO_ON, or what is wrong with them: then it is empty. */
enum device_anew known_parse(const uint8_t *text, size_t n, struct known *ret);

/* As it stands in the file; a new reference, NULL = no memory. */
json_t *known_file_json(const struct known *k);

/*
 * The register of a backup. What the file's reader takes need not be one that known_see and people ever made, and whoever made the backup may not be
 * a friend. True of each that they did make.
 */
bool known_is_sound(struct known *k);
/* One of a backup may take its place: nobody has reviewed it here, nor taken anything off one that was taken over. */
bool known_may_go(const struct known *k);
/* `from` in the place of `k`, with numbers that were not given here yet. Who was heard here meanwhile has to be heard again. */
void known_take_over(struct known *k, const struct known *from);

struct known_told known_see(struct known *k, const struct known_sighting *s);
struct known_device *known_find(struct known *k, uint32_t number);
/* False: there is no room for another one. The caller fills who and why, and saves. */
bool known_accept(struct known *k, struct known_device *d, uint64_t now);
void known_forget(struct known *k, struct known_device *d);
/* Those that nobody has reviewed. */
size_t known_new(const struct known *k);

/* Its own wire alone knows it: link-local, IPv6 or IPv4. */
bool known_is_local(const struct addr *a);
/* "lan2 (ot)". */
void known_place(const char *interface, const char *zone, char *out, size_t size);
json_t *known_json(const struct known *k);

#endif
