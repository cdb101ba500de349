/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of devices: which devices were heard in the networks of the box, by MAC address and
 * interface, and which of them a person has accepted. Journal role only; it is kept in the file
 * `devices` beside the records.
 *
 * Until a person has reviewed the list once, it only learns: its devices are listed as not
 * reviewed, and none is new. From then on, a device that is not in the list is unknown until a
 * person accepts it or removes it from the list. If the file cannot be read, it is set aside, and a
 * new list begins to learn. `status` says so until a person has reviewed the new list, because the
 * contents of the old one are lost.
 *
 * A sender can pretend to be any number of devices. So an interface has at most KNOWN_SHARE devices
 * that have not been reviewed. If there is no room for another one, the interface with the most of
 * them loses one. So a sender cannot displace the devices of another interface, and never a known
 * device. Devices that found no room are counted.
 */
#ifndef SEKISHO_JOURNAL_KNOWN_H
#define SEKISHO_JOURNAL_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/columns.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"

#define KNOWN_ACCEPTED 2048u /* devices */
#define KNOWN_NEW 2048u	     /* devices without a review, of all interfaces */
#define KNOWN_MOST (KNOWN_ACCEPTED + KNOWN_NEW)
#define KNOWN_SHARE 256u       /* devices without a review, of one interface */
#define KNOWN_BYTES (8u << 20) /* largest size of the file in bytes */
#define KNOWN_ADDRESSES 4u
#define KNOWN_NAME 65u /* bytes of the name of a zone or an interface, with the NUL */

#define KNOWN_AHEAD_S 86400u /* seconds by which times in the file may be in the future */

struct known_device {
	uint32_t number; /* never used twice; 0 = a free slot */
	uint8_t mac[6];
	uint8_t state;		    /* enum device_state */
	char interface[KNOWN_NAME]; /* as box.cfg names it */
	/* zone where it was last heard; "" = the interface has several zones, and no address shows
	 * which one */
	char zone[KNOWN_NAME];
	/* addresses that the device announced, the latest first */
	struct addr addresses[KNOWN_ADDRESSES];
	/* when it was first and last heard, in seconds since 1970 */
	uint64_t first, last;
	/* seconds since 1970, 0 = never */
	uint64_t reviewed;
	/* login, person and reason of that review */
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1];
};

/* The last order of a person that has changed the list. Perhaps it is not in the records yet. */
struct known_order {
	uint8_t order; /* enum devices_order; DEVICES_LIST = there is none */
	uint32_t n;    /* devices */
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1];
};

/* Filled by known_load(). */
struct known {
	struct known_device list[KNOWN_MOST]; /* by number, followed by free slots */
	size_t n;
	uint32_t last;	/* the highest number that has been given */
	uint64_t began; /* seconds since 1970 */
	/* when a person last reviewed the list; 0 = never, so the list only learns */
	uint64_t reviewed;
	/* how often a device was heard for which there is no room, since the last review */
	uint64_t beyond;
	/* enum device_anew: why this list does not continue an earlier one; DEVICES_GO_ON once a
	 * person has reviewed this list */
	uint8_t anew;
	struct known_order unrecorded;
	/* `changed`: something other than times is not saved; `stale`: times are not saved */
	bool changed;
	bool stale;
};

/* A device that was heard, and where. */
struct known_sighting {
	uint8_t mac[6];
	struct addr address;	      /* family 0 = it announced no address */
	const char *interface, *zone; /* zone "" = not known */
	bool asset;		      /* the address is one of an asset of the policy */
	uint64_t now;		      /* seconds since 1970 */
};

enum known_news { KNOWN_NO_NEWS, KNOWN_NEW_DEVICE, KNOWN_OTHER_ZONE, KNOWN_ADDRESS_MOVED, KNOWN_NO_PLACE };

struct known_told {
	enum known_news news;
	uint32_t number; /* number of the device, 0 = there was no room for it */
	char before[2 * KNOWN_NAME +
		    /* the MAC address that had the IP address before, or where the device is known
		     * (known_place); "" = none */
		    8];
};

/*
 * Reads the list, or begins a new one, which is not saved yet. The result says why; a file that
 * could not be read was set aside. `records`: the folder has earlier records.
 */
enum device_anew known_load(int folder, uint64_t now, bool records, struct known *ret);
/* Parses the bytes of the file. DEVICES_GO_ON, or what is wrong with them; *ret is then
 * empty. Pure. */
enum device_anew known_parse(const uint8_t *text, size_t n, struct known *ret);

extern const struct columns_file known_file; /* of a struct known */

/*
 * Whether the list of a backup is consistent, as every list is that known_see and people's orders
 * made. known_parse accepts more, and a hostile person may have made the backup.
 */
bool known_is_sound(struct known *k);
/* Whether the list of a backup may replace this one: this one has not been reviewed here, and no
 * device has been removed from it since it came from an earlier backup. */
bool known_may_go(const struct known *k);
/* Replaces `k` by `from`, with new numbers. Devices that were heard here meanwhile have to be
 * heard again. */
void known_take_over(struct known *k, const struct known *from);

struct known_told known_see(struct known *k, const struct known_sighting *s);
struct known_device *known_find(struct known *k, uint32_t number);
/* Accepts a device. False: there is no room for another accepted one. The caller sets person and
 * reason, and saves. */
bool known_accept(struct known *k, struct known_device *d, uint64_t now);
void known_forget(struct known *k, struct known_device *d);
/* The number of devices without a review. */
size_t known_new(const struct known *k);

/* Whether the address is link-local, IPv6 or IPv4. */
bool known_is_local(const struct addr *a);
/* "lan2 (ot)". */
void known_place(const char *interface, const char *zone, char *out, size_t size);
json_t *known_json(const struct known *k);

#endif
