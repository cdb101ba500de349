/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/reset.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/base/bytes.h"
#include "appliance/base/checksum.h"
#include "appliance/gate/gate.h"
#include "appliance/gate/stray.h"

#define TCP_LEN 20u
#define IPV4_LEN 20u
#define HOP_LIMIT 64u
#define FLAG_RST 0x04u
#define FLAG_ACK 0x10u

static void out_ip4(struct outbuf *o, const struct reset *r)
{
	out_be16(o, 0x4500);
	out_be16(o, IPV4_LEN + TCP_LEN);
	out_be16(o, 0);	     /* id: set by the kernel */
	out_be16(o, 0x4000); /* don't fragment */
	out_u8(o, HOP_LIMIT);
	out_u8(o, IPPROTO_TCP);
	out_be16(o, 0);
	out_bytes(o, r->source.b, 4);
	out_bytes(o, r->destination.b, 4);
}

static void out_ip6(struct outbuf *o, const struct reset *r)
{
	out_be32(o, 0x60000000u);
	out_be16(o, TCP_LEN);
	out_u8(o, IPPROTO_TCP);
	out_u8(o, HOP_LIMIT);
	out_bytes(o, r->source.b, 16);
	out_bytes(o, r->destination.b, 16);
}

size_t reset_build(const struct reset *r, uint8_t out[RESET_MAX])
{
	size_t alen = addr_len(r->source.family), ip_len;
	struct outbuf o = outbuf_of(out, RESET_MAX);
	static const uint8_t tail[] = { 0, IPPROTO_TCP, 0, TCP_LEN }; /* of the pseudo header */
	uint64_t sum;

	if (alen == 0 || r->source.family != r->destination.family)
		return 0;
	if (alen == 4)
		out_ip4(&o, r);
	else
		out_ip6(&o, r);
	ip_len = o.len;
	out_be16(&o, r->source_port);
	out_be16(&o, r->destination_port);
	out_be32(&o, r->seq);
	out_be32(&o, r->with_ack ? r->ack : 0);
	out_u8(&o, (TCP_LEN / 4u) << 4);
	out_u8(&o, (uint8_t)(FLAG_RST | (r->with_ack ? FLAG_ACK : 0u)));
	out_be16(&o, 0); /* window */
	out_be16(&o, 0); /* checksum */
	out_be16(&o, 0); /* urgent */
	sum = checksum_add(0, bytes_of(r->source.b, alen));
	sum = checksum_add(sum, bytes_of(r->destination.b, alen));
	sum = checksum_add(sum, bytes_of(tail, sizeof(tail)));
	checksum_put(out + ip_len + 16, checksum_add(sum, bytes_of(out + ip_len, TCP_LEN)));
	if (alen == 4)
		checksum_put(out + 10, checksum_add(0, bytes_of(out, IPV4_LEN)));
	return o.len;
}

int reset_send(int fd, const struct reset *r, uint32_t mark)
{
	union {
		char buf[CMSG_SPACE(sizeof(uint32_t))];
		struct cmsghdr align;
	} control = { 0 };
	uint8_t packet[RESET_MAX];
	size_t len = reset_build(r, packet);
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct iovec iov = { .iov_base = packet, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf)
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	ssize_t n;

	if (len == 0)
		return -EAFNOSUPPORT;
	if (r->destination.family == 4) {
		memcpy(&to4.sin_addr, r->destination.b, 4);
		mh.msg_name = &to4;
		mh.msg_namelen = sizeof(to4);
	} else {
		memcpy(&to6.sin6_addr, r->destination.b, 16);
		mh.msg_name = &to6;
		mh.msg_namelen = sizeof(to6);
	}
	/* The mark is sent with the packet. As a socket option it would need a system call that the
	 * sandbox does not allow. */
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SO_MARK;
	c->cmsg_len = CMSG_LEN(sizeof(mark));
	memcpy(CMSG_DATA(c), &mark, sizeof(mark));
	do {
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? 0 : -errno;
}

/* ---- the budget for resets without a session ------------------------------------------------- */

#define SECOND 1000000000u

void stray_begin(struct stray_budget *s)
{
	s->credit = 0;
}

void stray_decided(struct stray_budget *s, uint32_t slot, uint32_t id)
{
	s->last_id[slot] = id;
}

void stray_dropped(struct stray_budget *s, uint32_t slot, uint32_t id, uint32_t newest)
{
	if ((int32_t)(id - s->last_id[slot]) <= 0 || (int32_t)(newest - id) < 0)
		return;
	s->last_id[slot] = id;
	s->credit += STRAY_EACH;
	if (s->credit > STRAY_UNUSED)
		s->credit = STRAY_UNUSED;
}

static void budget_fill(struct stray_budget *s, uint64_t now_ns)
{
	uint64_t passed = now_ns - s->filled_ns, more;

	if (s->filled_ns == 0 || passed >= SECOND) {
		s->tokens = STRAY_SECOND;
		s->filled_ns = now_ns;
		return;
	}
	more = passed * STRAY_SECOND / SECOND;
	if (more == 0)
		return;
	s->tokens = s->tokens + more < STRAY_SECOND ? s->tokens + (uint32_t)more : STRAY_SECOND;
	s->filled_ns = now_ns;
}

bool stray_pay(struct stray_budget *s, uint64_t now_ns)
{
	budget_fill(s, now_ns);
	if (s->credit == 0 || s->tokens == 0)
		return false;
	s->credit--;
	s->tokens--;
	return true;
}
