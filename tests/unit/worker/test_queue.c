/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/worker/queue.c appliance/base/bytes.c appliance/base/err.c
 * LIBS: libmnl libnetfilter_queue
 */
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/mark.h"
#include "appliance/worker/queue.h"

#define PACKET_TYPE ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)

/* A datagram in the form of the kernel's. */
struct builder {
	_Alignas(8) uint8_t buf[4096];
	size_t len, start;
};

static void begin(struct builder *b, uint16_t type, uint16_t queue)
{
	struct nlmsghdr h = { .nlmsg_type = type };
	struct nfgenmsg g = { .nfgen_family = AF_INET, .res_id = htons(queue) };

	b->start = b->len;
	memcpy(b->buf + b->len, &h, sizeof(h));
	memcpy(b->buf + b->len + sizeof(h), &g, sizeof(g));
	b->len += sizeof(h) + sizeof(g);
}

static void attr(struct builder *b, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)(sizeof(a) + n) };

	memcpy(b->buf + b->len, &a, sizeof(a));
	memcpy(b->buf + b->len + sizeof(a), p, n);
	b->len += sizeof(a) + (n + 3) / 4 * 4;
}

static void attr32(struct builder *b, uint16_t type, uint32_t v)
{
	v = htonl(v);
	attr(b, type, &v, sizeof(v));
}

static void header(struct builder *b, uint32_t id)
{
	struct nfqnl_msg_packet_hdr h = { .packet_id = htonl(id), .hw_protocol = htons(0x0800), .hook = 2 };

	attr(b, NFQA_PACKET_HDR, &h, sizeof(h));
}

static void end(struct builder *b)
{
	struct nlmsghdr *h = (void *)(b->buf + b->start);

	h->nlmsg_len = (uint32_t)(b->len - b->start);
}

static void a_packet(void **state)
{
	static struct builder b;
	struct bytes d;
	struct packet p;

	(void)state;
	b = (struct builder){ 0 };
	begin(&b, PACKET_TYPE, 1224);
	header(&b, 77);
	attr32(&b, NFQA_MARK, 0x07000080);
	attr32(&b, NFQA_SKB_INFO, NFQA_SKB_CSUM_NOTVERIFIED);
	attr(&b, NFQA_PAYLOAD, "hello", 5);
	end(&b);
	d = bytes_of(b.buf, b.len);
	assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
	assert_int_equal(p.queue, 1224);
	assert_int_equal(p.id, 77);
	assert_int_equal(p.mark, 0x07000080);
	assert_int_equal(p.ip.left, 5);
	assert_memory_equal(p.ip.p, "hello", 5);
	assert_false(p.truncated);
	assert_int_equal(p.checksums, CHECKSUM_STRICT);
	assert_int_equal(queue_next(&d, &p), QUEUE_END);
}

/* The rules write the direction into every mark, except for strays, which belong to no session. */
static void who_opened_the_session(void **state)
{
	static const struct {
		uint32_t mark;
		bool directed;
	} cases[] = { { 0x07000080, true }, { 0x07000080 | MARK_REPLY, true }, { MARK_STRAY, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct builder b;
		struct bytes d;
		struct packet p;

		b = (struct builder){ 0 };
		begin(&b, PACKET_TYPE, 1);
		header(&b, 1);
		attr32(&b, NFQA_MARK, cases[i].mark);
		attr(&b, NFQA_PAYLOAD, "abcd", 4);
		end(&b);
		d = bytes_of(b.buf, b.len);
		assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
		assert_int_equal(p.mark, cases[i].mark);
		assert_int_equal(p.directed, cases[i].directed);
	}
}

static void several_in_one(void **state)
{
	static struct builder b;
	struct bytes d;
	struct packet p;

	(void)state;
	b = (struct builder){ 0 };
	for (uint32_t i = 1; i <= 3; i++) {
		begin(&b, PACKET_TYPE, 1000);
		header(&b, i);
		attr(&b, NFQA_PAYLOAD, "abcdefg", i);
		end(&b);
	}
	begin(&b, NLMSG_ERROR, 0);
	end(&b);
	begin(&b, NLMSG_DONE, 0);
	end(&b);
	d = bytes_of(b.buf, b.len);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
		assert_int_equal(p.id, i);
		assert_int_equal(p.ip.left, i);
		assert_int_equal(p.mark, 0);
	}
	assert_int_equal(queue_next(&d, &p), QUEUE_ERROR);
	assert_int_equal(queue_next(&d, &p), QUEUE_OTHER);
	assert_int_equal(queue_next(&d, &p), QUEUE_END);
}

static void offloaded_and_cut(void **state)
{
	static struct builder b;
	struct bytes d;
	struct packet p;

	(void)state;
	b = (struct builder){ 0 };
	begin(&b, PACKET_TYPE, 1);
	header(&b, 1);
	attr32(&b, NFQA_SKB_INFO, NFQA_SKB_GSO | NFQA_SKB_CSUMNOTREADY);
	attr32(&b, NFQA_CAP_LEN, 9000);
	attr(&b, NFQA_PAYLOAD, "abcd", 4);
	end(&b);
	d = bytes_of(b.buf, b.len);
	assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
	assert_true(p.truncated);
	assert_int_equal(p.checksums, CHECKSUM_UNREADY);
}

/* A packet with a known id is always reported, even if the rest is contradictory, because it has to
 * be decided. */
static void damaged(void **state)
{
	static struct builder b;
	struct nlattr bad = { .nla_type = NFQA_PAYLOAD, .nla_len = 4000 };
	struct bytes d;
	struct packet p;

	(void)state;
	b = (struct builder){ 0 };
	begin(&b, PACKET_TYPE, 5);
	header(&b, 9);
	memcpy(b.buf + b.len, &bad, sizeof(bad));
	b.len += sizeof(bad);
	end(&b);
	d = bytes_of(b.buf, b.len);
	assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
	assert_int_equal(p.id, 9);
	assert_int_equal(p.ip.left, 0);

	/* Without a header there is nothing to decide. */
	b = (struct builder){ 0 };
	begin(&b, PACKET_TYPE, 5);
	attr(&b, NFQA_PAYLOAD, "abcd", 4);
	end(&b);
	d = bytes_of(b.buf, b.len);
	assert_int_equal(queue_next(&d, &p), QUEUE_OTHER);

	/* A wrong length ends the datagram. */
	b = (struct builder){ 0 };
	begin(&b, PACKET_TYPE, 5);
	header(&b, 9);
	end(&b);
	for (uint32_t len = 0; len < 16; len++) {
		struct nlmsghdr *h = (void *)b.buf;

		h->nlmsg_len = len;
		d = bytes_of(b.buf, b.len);
		assert_int_equal(queue_next(&d, &p), QUEUE_OTHER);
		assert_int_equal(queue_next(&d, &p), QUEUE_END);
	}
	for (size_t len = 0; len < sizeof(struct nlmsghdr); len++) {
		d = bytes_of(b.buf, len);
		assert_int_equal(queue_next(&d, &p), len == 0 ? QUEUE_END : QUEUE_OTHER);
		assert_int_equal(queue_next(&d, &p), QUEUE_END);
	}
}

static void many_per_receive(void **state)
{
	struct queue_reader *r = queue_reader_new(4);
	static struct builder b;
	struct packet p;
	struct bytes d;
	int s[2];

	(void)state;
	assert_non_null(r);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s), 0);
	assert_true(queue_receive(r, s[0], 4) < 0);
	assert_int_equal(queue_datagram(r, 0).left, 0);
	for (uint32_t i = 0; i < 6; i++) {
		b = (struct builder){ 0 };
		begin(&b, PACKET_TYPE, 1);
		header(&b, i);
		end(&b);
		assert_int_equal(send(s[1], b.buf, b.len, 0), (ssize_t)b.len);
	}
	assert_int_equal(queue_receive(r, s[0], 3), 3);
	assert_int_equal(queue_receive(r, s[0], 100), 3);
	for (unsigned i = 0; i < 3; i++) {
		d = queue_datagram(r, i);
		assert_int_equal(queue_next(&d, &p), QUEUE_PACKET);
		assert_int_equal(p.id, i + 3);
	}
	assert_int_equal(queue_datagram(r, 3).left, 0);
	queue_reader_free(r);
	assert_null(queue_reader_new(0));
	assert_null(queue_reader_new(100000));
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet),	  cmocka_unit_test(who_opened_the_session),
		cmocka_unit_test(several_in_one), cmocka_unit_test(offloaded_and_cut),
		cmocka_unit_test(damaged),	  cmocka_unit_test(many_per_receive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
