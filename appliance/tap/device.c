/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices in the networks of the box: how they are learnt from the kernel's neighbour table and
 * from ARP packets, and reported to the journal within a limit.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/tap/tap.h"

/* States in which the kernel has just heard the host. If the kernel only tries to reach an address,
 * or a person has entered it, no host was heard. */
#define HEARD (NUD_REACHABLE | NUD_STALE)

/* ---- the neighbour table --------------------------------------------------------------------- */

static bool read_attributes(struct bytes b, uint8_t family, struct sighting *s)
{
	struct bytes value;
	uint16_t type;

	while (tap_attribute(&b, &type, &value)) {
		if (type == NDA_LLADDR && value.left == sizeof(s->mac))
			s->is = bytes_copy(&value, s->mac, sizeof(s->mac));
		if (type == NDA_DST && value.left == addr_len(family)) {
			s->address.family = family;
			bytes_copy(&value, s->address.b, addr_len(family));
		}
	}
	return bytes_done(&b);
}

bool tap_neighbour_next(struct bytes *datagram, struct sighting *ret, uint64_t *malformed)
{
	struct ndmsg n;
	struct bytes m;
	uint16_t type;

	*ret = (struct sighting){ 0 };
	if (!tap_message(datagram, &type, &m, malformed) || type != RTM_NEWNEIGH)
		return false;
	if (!bytes_copy(&m, &n, sizeof(n)) || !read_attributes(m, n.ndm_family == AF_INET ? 4 : 6, ret)) {
		++*malformed;
		return false;
	}
	ret->iif = n.ndm_ifindex > 0 ? (uint32_t)n.ndm_ifindex : 0;
	return ret->is && (n.ndm_family == AF_INET || n.ndm_family == AF_INET6) && ret->iif != 0 &&
	       (n.ndm_state & HEARD) != 0 && (n.ndm_flags & NTF_PROXY) == 0 && sighting_is_mac(ret->mac);
}

/* ---- ARP ------------------------------------------------------------------------------------- */

#define ETHERNET 1u
#define IPV4 0x0800u

struct sighting tap_arp(struct bytes packet, uint32_t iif, const uint8_t *frame)
{
	struct sighting ret = { .iif = iif }, none = { 0 };
	uint16_t hardware, protocol;
	uint8_t lengths[2];

	bytes_be16(&packet, &hardware);
	bytes_be16(&packet, &protocol);
	bytes_copy(&packet, lengths, sizeof(lengths));
	/* skips the operation, because the sender is at the same position in a request and a
	 * reply */
	bytes_skip(&packet, 2);
	bytes_copy(&packet, ret.mac, sizeof(ret.mac));
	ret.address.family = 4;
	bytes_copy(&packet, ret.address.b, 4);
	if (packet.failed || hardware != ETHERNET || protocol != IPV4 || lengths[0] != 6 || lengths[1] != 4) {
		/* Even if nothing in the packet can be used, a device has sent it. */
		if (frame == NULL || !sighting_is_mac(frame) || iif == 0)
			return none;
		memcpy(ret.mac, frame, sizeof(ret.mac));
		ret.address = none.address;
		ret.is = true;
		return ret;
	}
	/* A host that asks whether an address is free does not have it yet (RFC 5227). */
	if (memcmp(ret.address.b, none.address.b, 4) == 0)
		ret.address = none.address;
	if (!sighting_is_mac(ret.mac) && frame != NULL)
		memcpy(ret.mac, frame, sizeof(ret.mac));
	ret.is = iif != 0 && sighting_is_mac(ret.mac);
	return ret.is ? ret : none;
}

/* ---- reporting ------------------------------------------------------------------------------- */

#define SECOND 1000000000ull

static uint64_t mixed(uint64_t so_far, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n-- > 0)
		so_far = (so_far ^ *b++) * 1099511628211u;
	return so_far;
}

static struct sighted_told *place_of(struct sighted *s, const struct sighting *who)
{
	uint64_t h = mixed(14695981039346656037u, who->mac, sizeof(who->mac));

	h = mixed(h, who->address.b, sizeof(who->address.b));
	h = mixed(h, &who->iif, sizeof(who->iif));
	return &s->told[(h >> 20) % SIGHTED_REMEMBERED];
}

static bool same_sighting(const struct sighting *a, const struct sighting *b)
{
	return a->is == b->is && a->iif == b->iif && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
	       addr_cmp(&a->address, &b->address) == 0;
}

/* Whether the interface may report another device in this second. Interfaces with the same
 * remainder share one limit; a box seldom has that many interfaces. */
static bool in_pace(struct sighted *s, uint32_t iif, uint64_t second)
{
	struct sighted_pace *p = &s->paces[iif % SIGHTED_INTERFACES];

	if (p->second != second) {
		p->second = second;
		p->n = 0;
	}
	p->iif = iif;
	if (p->n == SIGHTED_PACE) {
		p->over++;
		return false;
	}
	p->n++;
	return true;
}

bool sighted_in(struct sighted *s, const struct sighting *who, uint64_t now_ns, struct event *ret)
{
	struct sighted_told *t = place_of(s, who);
	uint64_t second = now_ns / SECOND;

	if (!who->is)
		return false;
	s->all++;
	if (same_sighting(&t->who, who) && second - t->at_s < SIGHTED_AGAIN_S)
		return false;
	if (!in_pace(s, who->iif, second))
		return false;
	*t = (struct sighted_told){ *who, second };
	*ret = event_new(EVENT_DEVICE, clock_wall_ns());
	ret->iif = who->iif;
	ret->client = who->address;
	ret->value = event_mac_value(who->mac);
	return true;
}

void sighted_anew(struct sighted *s)
{
	memset(s->told, 0, sizeof(s->told));
}

bool sighted_owes(const struct sighted *s)
{
	for (size_t i = 0; i < SIGHTED_INTERFACES; i++)
		if (s->paces[i].over > 0)
			return true;
	return false;
}

bool sighted_over(struct sighted *s, struct event *ret)
{
	for (struct sighted_pace *p = s->paces; p < s->paces + SIGHTED_INTERFACES; p++) {
		if (p->over == 0)
			continue;
		*ret = event_new(EVENT_DEVICE, clock_wall_ns());
		ret->iif = p->iif;
		ret->count = p->over;
		p->over = 0;
		return true;
	}
	return false;
}
