/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap receives packets that the kernel's rules drop and log (NFLOG), and turns them into event
 * records of fixed size. It also makes records of sessions that begin and end, and of devices that
 * are heard.
 *
 * The supervisor opens its sockets inside the data namespace; the role may only read from them. The
 * packets may be hostile, so they are read only through struct bytes, and every length is checked
 * against the bytes. Records are a sample (the rules limit them); the exact numbers are the
 * kernel's counters. Lost records are counted exactly, by the gaps in the kernel's sequence
 * numbers.
 *
 * Each logged packet also has the MAC address of its sender. ARP packets that are logged but not
 * dropped (kernel/small_tables.h) arrive here as well: they reveal devices that never communicate
 * with the box.
 */
#ifndef SEKISHO_TAP_TAP_H
#define SEKISHO_TAP_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/wire/event.h"

/* ---- tap/netlink.c --------------------------------------------------------------------------- */

/* Opens a netlink socket of this protocol in the current namespace, with a receive queue of `room`
 * bytes. `what`: how an error names it. Owned by the caller; negative errno on failure. */
int tap_socket(int protocol, int flags, int room, const char *what, struct err *e);
/*
 * Takes one message, which begins with a struct nfgenmsg, off the datagram: *ret_type is its type,
 * *ret the bytes after the netlink header. Netlink's own fields are in the machine's byte order,
 * the contents of attributes in network order. False: the datagram is malformed; it is then
 * emptied.
 */
bool tap_message(struct bytes *datagram, uint16_t *ret_type, struct bytes *ret, uint64_t *malformed);
/* Takes the next attribute of a list. False: there is none. If the list is damaged, `b` then has
 * bytes left or has failed. */
bool tap_attribute(struct bytes *b, uint16_t *ret_type, struct bytes *ret);

/* ---- tap/device.c ---------------------------------------------------------------------------- */

/*
 * A device in a network of the box as the kernel reports it: the MAC address, the interface, and
 * the IP address that the device announced. Hosts behind a router appear with the MAC address of
 * the router. Parsers fill this structure; the tap sends it to the journal, which keeps the list of
 * devices (appliance/journal/known.h).
 */
struct sighting {
	bool is;      /* a device was heard */
	uint32_t iif; /* interface index in the data namespace */
	uint8_t mac[6];
	struct addr address; /* family 0 = the device announced no address */
};

/* Whether this is the address of a single card: neither a group address nor zero. */
static inline bool sighting_is_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];
	bool zero = true;

	for (unsigned i = 0; i < sizeof(none); i++)
		zero = zero && mac[i] == none[i];
	return !zero && (mac[0] & 1u) == 0;
}

/*
 * The kernel's neighbour table (ARP and neighbour discovery) contains hosts that asked for the
 * box's address, answered the box, or were confirmed later. The kernel notifies listeners of
 * changes; nothing is sent to the hosts. Notifications wait in the socket while the tap restarts.
 *
 * Opens a netlink socket in the current namespace that receives neighbours: first those that are
 * known now, then changes. Non-blocking; owned by the caller; negative errno on failure.
 */
int tap_neighbours_open(struct err *e);
/* Takes one netlink message off `datagram`. True when *ret is a host that was heard. False with
 * bytes left: this message is not about a host that was heard. *malformed is incremented for a
 * malformed one. */
bool tap_neighbour_next(struct bytes *datagram, struct sighting *ret, uint64_t *malformed);
/*
 * Reads an ARP packet from the kernel's log (RFC 826): the sender, and the IP address that it
 * announces. `frame`: the source MAC address of the frame, NULL = not known. If the ARP packet
 * names another sender (such as the virtual MAC address of a router), the IP address is
 * that sender's.
 */
struct sighting tap_arp(struct bytes packet, uint32_t iif, const uint8_t *frame);

/*
 * Limits the reports of devices to the journal: each device at most once in half a minute, and each
 * interface at most SIGHTED_PACE devices a second, because a sender can invent any number of MAC
 * addresses. Further devices are counted, and the count is reported. Pure, with a fixed amount
 * of memory.
 */

#define SIGHTED_REMEMBERED 4096u
#define SIGHTED_INTERFACES 64u
#define SIGHTED_AGAIN_S 30u
#define SIGHTED_PACE 256u /* devices a second and interface */

struct sighted_told {
	struct sighting who;
	uint64_t at_s; /* monotonic */
};

struct sighted_pace {
	uint32_t iif, n;
	uint64_t second, over;
};

/* Start from zero bytes. */
struct sighted {
	struct sighted_told told[SIGHTED_REMEMBERED];
	struct sighted_pace paces[SIGHTED_INTERFACES];
	uint64_t all; /* number of sightings */
};

/* True: *ret is to be sent. An empty sighting is ignored. */
bool sighted_in(struct sighted *s, const struct sighting *who, uint64_t now_ns, struct event *ret);
/* To be called when the names of the policy may have changed: each device is reported again when it
 * is next heard. */
void sighted_anew(struct sighted *s);
/* Whether there are devices that were not reported and not counted in a report yet. */
bool sighted_owes(const struct sighted *s);
/* True: *ret is an event with the count for one interface. To be called until it returns false. */
bool sighted_over(struct sighted *s, struct event *ret);

/* ---- tap/drop.c ------------------------------------------------------------------------------ */

#define TAP_GROUP 1u

/* Opens a netlink socket that is bound to the NFLOG group of the current namespace and gets only
 * the headers of packets. Non-blocking; owned by the caller; negative errno on failure. */
int tap_open(struct err *e);

/* Counts across messages. Start from zero bytes. */
struct tap {
	bool started;  /* `next` is valid */
	uint32_t next; /* sequence number expected */
	uint64_t records, lost, malformed;
	/* the device that sent the packet of the last message, whether or not the message is a
	 * record */
	struct sighting seen;
};

/* Takes one netlink message off `datagram`. True when *ret is a record to hand on; false with bytes
 * left: the message is no record. */
bool tap_next(struct tap *t, struct bytes *datagram, struct event *ret);
/*
 * Whether the packet was link-local multicast (224.0.0.0/24, RFC 5771 section 4; ff02::/16, RFC
 * 4291 section 2.7) to or from the box. By it hosts announce services and group memberships. It is
 * dropped and counted like other packets, but is not recorded.
 */
bool tap_is_chatter(const struct event *e);

/* ---- tap/session.c --------------------------------------------------------------------------- */

/* Opens a netlink socket in the current namespace, which does not listen yet. Non-blocking; owned
 * by the caller; negative errno on failure. */
int tap_sessions_open(struct err *e);
/* Switches listening on or off. Notifications already received stay in the socket. */
int tap_sessions_hear(int fd, bool on, struct err *e);
/* Whether the socket listens, as the kernel says: 1 or 0, or negative errno. */
int tap_sessions_heard(int fd);
/* Takes one netlink message off `datagram`. True when *ret is a record to hand on; false with bytes
 * left: the message is no record. *malformed is incremented for a malformed one. */
bool tap_session_next(struct bytes *datagram, struct event *ret, uint64_t *malformed);

#endif
