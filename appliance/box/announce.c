/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/announce.h"
#include "appliance/box/box.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/checksum.h"
#include "appliance/box/netns.h"

#define MAC 6u

static size_t put_bytes(uint8_t *at, const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return n;
}

/* Builds the ARP frame of RFC 826 in which the owner of an address asks for this address itself
 * (gratuitous ARP). Nobody has to answer. */
static size_t arp_frame(const struct addr *host, const uint8_t *mac, uint8_t *ret)
{
	static const uint8_t everybody[MAC] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[MAC];
	static const uint8_t head[] = { 0x08, 0x06, 0, 1, 0x08, 0x00, MAC, 4, 0, 1 };
	size_t n = put_bytes(ret, everybody, MAC);

	n += put_bytes(ret + n, mac, MAC);
	n += put_bytes(ret + n, head, sizeof(head));
	n += put_bytes(ret + n, mac, MAC);
	n += put_bytes(ret + n, host->b, 4);
	n += put_bytes(ret + n, nobody, MAC);
	return n + put_bytes(ret + n, host->b, 4);
}

static size_t advertisement_frame(const struct addr *host, bool router, const uint8_t *mac, uint8_t *ret)
{
	static const uint8_t all_nodes_mac[MAC] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	/* Version 6, 32 bytes of ICMPv6, hop limit 255. */
	static const uint8_t head[] = { 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255 };
	/* Type 136 with the flag override. A router also sets the flag router: otherwise hosts
	 * would remove it from their router lists. */
	const uint8_t message[] = { 136, 0, 0, 0, router ? 0xa0 : 0x20, 0, 0, 0 };
	/* of the pseudo header (RFC 8200, 8.1): length, next header */
	static const uint8_t tail[] = { 0, 32, 0, 58 };
	static const uint8_t option[] = { 2, 1 }; /* the target's link-layer address */
	size_t n = put_bytes(ret, all_nodes_mac, MAC), addresses, begin;

	n += put_bytes(ret + n, mac, MAC);
	n += put_bytes(ret + n, head, sizeof(head));
	addresses = n;
	n += put_bytes(ret + n, host->b, 16);
	n += put_bytes(ret + n, all_nodes, 16);
	begin = n;
	n += put_bytes(ret + n, message, sizeof(message));
	n += put_bytes(ret + n, host->b, 16);
	n += put_bytes(ret + n, option, sizeof(option));
	n += put_bytes(ret + n, mac, MAC);
	checksum_put(ret + begin + 2, checksum_add(checksum_add(0, bytes_of(tail, sizeof(tail))),
						   bytes_of(ret + addresses, n - addresses)));
	return n;
}

size_t announce_frame(const struct addr *host, bool router, const uint8_t *mac, uint8_t ret[ANNOUNCE_FRAME])
{
	return host->family == 4 ? arp_frame(host, mac, ret) : advertisement_frame(host, router, mac, ret);
}

struct saying {
	int fd, r; /* r: the first failure */
	const struct ir_interface *i;
	const struct device *d;
	struct err *e;
};

static void send_frame(struct saying *x, const struct addr *a, bool router)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)x->d->index };
	uint8_t frame[ANNOUNCE_FRAME];
	size_t n = announce_frame(a, router, x->d->mac, frame);

	if (sendto(x->fd, frame, n, 0, (const struct sockaddr *)&to, sizeof(to)) < 0 && x->r == 0)
		x->r = err_set(x->e, -errno, "announce hosts on %s", x->i->name);
}

int box_announce(const struct box_spaces *s, const struct ir *ir, const struct ir_interface *i, const struct device *d,
		 struct err *e)
{
	struct saying x = { .i = i, .d = d, .e = e };
	uint32_t told = 0;

	/* The socket has protocol 0, so that it receives no frames. */
	x.fd = d->n_mac == MAC ? netns_socket(i->admin ? s->admin : s->data, s->home, AF_PACKET,
					      SOCK_RAW | SOCK_NONBLOCK, 0, "open a socket to announce hosts", e)
			       : err_set(e, -EINVAL, "announce hosts at what is no Ethernet");
	if (x.fd < 0)
		return x.fd;
	for (uint32_t k = 0; k < i->n_addresses; k++)
		send_frame(&x, &i->addresses[k], true);
	for (uint32_t k = 0; k < i->n_answers; k++) {
		struct addr a = i->answers[k].lo;

		for (bool more = true; more && told < ANNOUNCE_MOST; told++) {
			send_frame(&x, &a, ir_is_router(ir, &a));
			more = addr_cmp(&a, &i->answers[k].hi) < 0 && addr_next(&a, &a);
		}
	}
	close(x.fd);
	return x.r;
}
