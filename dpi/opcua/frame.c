/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/opcua.h"

#include "appliance/base/sha256.h"
#include "dpi/opcua/words.h"
#include "dpi/prefix.h"

#define URI "http://opcfoundation.org/UA/SecurityPolicy#"
#define WRAPS_ABOVE 4294966271u
#define WRAPS_BELOW 1024u
#define ACKNOWLEDGE_SIZE 28u

/* The letters of each kind, and its smallest and largest size. */
static const struct kind_info {
	char letters[4];
	uint32_t least, most;
	bool parts; /* messages of this kind may come in chunks */
} kinds[OPCUA_KINDS] = {
	[OPCUA_HELLO] = { "HEL", 32, 32 + OPCUA_URL_MAX, false },
	[OPCUA_ACKNOWLEDGE] = { "ACK", ACKNOWLEDGE_SIZE, ACKNOWLEDGE_SIZE, false },
	[OPCUA_ERROR] = { "ERR", 16, 16 + OPCUA_URL_MAX, false },
	[OPCUA_REVERSE_HELLO] = { "RHE", 16, 16 + 2 * OPCUA_URL_MAX, false },
	[OPCUA_OPEN] = { "OPN", 32, OPCUA_OPEN_CHUNK_MAX, false },
	[OPCUA_MESSAGE] = { "MSG", 24, OPCUA_CHUNK_MAX, true },
	[OPCUA_CLOSE] = { "CLO", 24, OPCUA_OPEN_CHUNK_MAX, false },
};

/* Tests each byte of the header as soon as it is there: a flow that cannot be OPC UA ends at the
 * first byte that shows it. */
static enum frame_result read_header(struct bytes b, uint32_t most, struct opcua_chunk *ret)
{
	const uint8_t *p = b.p;
	unsigned kind = OPCUA_NO_KIND;

	*ret = (struct opcua_chunk){ .kind = OPCUA_NO_KIND };
	for (unsigned k = OPCUA_HELLO; k < OPCUA_KINDS && kind == OPCUA_NO_KIND; k++)
		if (bytes_starts(&b, kinds[k].letters, b.left < 3 ? b.left : 3))
			kind = k;
	if (kind == OPCUA_NO_KIND)
		return FRAME_BAD;
	if (b.left > 3 && p[3] != 'F' && !(kinds[kind].parts && (p[3] == 'C' || p[3] == 'A')))
		return FRAME_BAD;
	if (b.left < OPCUA_HEADER)
		return FRAME_NEED_MORE;
	bytes_skip(&b, 4);
	bytes_le32(&b, &ret->size);
	ret->kind = (uint8_t)kind;
	ret->chunk = p[3];
	if (ret->size < kinds[kind].least || ret->size > kinds[kind].most)
		return FRAME_BAD;
	return ret->size > most ? FRAME_LONG : FRAME_WHOLE;
}

enum frame_result opcua_frame(struct bytes head, enum direction dir, bool together, size_t *ret_len)
{
	struct opcua_chunk c;
	size_t all = 0;

	*ret_len = 0;
	for (bool first = true;; first = false) {
		uint32_t most = dir == DIR_S2C ? OPCUA_CHUNK_MAX : (uint32_t)(OPCUA_PDU_MAX - all);
		enum frame_result r = read_header(head, most, &c);
		size_t n = dir == DIR_S2C && c.size > OPCUA_WHOLE_MAX ? OPCUA_PIECE : c.size;

		if (r != FRAME_WHOLE)
			return r;
		if (!first && c.kind != OPCUA_MESSAGE)
			return FRAME_BAD;
		if (!bytes_skip(&head, n))
			return FRAME_NEED_MORE;
		all += n;
		if (dir == DIR_S2C || !together || c.chunk != 'C') {
			*ret_len = all;
			return FRAME_WHOLE;
		}
		if (all >= OPCUA_PDU_MAX)
			return FRAME_LONG;
		if (head.left == 0)
			return FRAME_NEED_MORE;
	}
}

static uint8_t policy_of(struct bytes uri)
{
#define POLICY(number, name) { number, sizeof(URI name) - 1u, URI name },
	static const struct {
		uint8_t number, n;
		const char *uri;
	} all[] = {
#include "dpi/opcua/policies.def"
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (uri.left == all[i].n && bytes_starts(&uri, all[i].uri, all[i].n))
			return all[i].number;
	return OPCUA_POLICY_OTHER;
}

/* The thumbprint of the first certificate of a chain, which is the sender's. A certificate is an
 * ASN.1 SEQUENCE (X.690, 8.1.3). */
static uint64_t thumbprint_of(struct bytes chain)
{
	uint8_t tag, first, out[20];
	struct bytes b = chain;
	uint64_t v = 0;
	size_t n;

	bytes_u8(&b, &tag);
	if (!bytes_u8(&b, &first) || tag != 0x30)
		return 0;
	n = first;
	if (first >= 0x80) {
		unsigned octets = first & 0x7fu;

		n = 0;
		if (octets < 1 || octets > 3)
			return 0;
		for (uint8_t octet; octets > 0 && bytes_u8(&b, &octet); octets--)
			n = n << 8 | octet;
	}
	if (!bytes_skip(&b, n))
		return 0;
	sha1(chain.p, chain.left - b.left, out);
	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | out[i];
	return v >> 1;
}

bool opcua_chunk_take(struct bytes *b, struct opcua_chunk *ret)
{
	struct bytes uri;

	if (read_header(*b, OPCUA_CHUNK_MAX, ret) != FRAME_WHOLE)
		return false;
	if (!bytes_take(b, ret->size <= b->left ? ret->size : b->left, &ret->body))
		return false;
	bytes_skip(&ret->body, OPCUA_HEADER);
	if (ret->kind < OPCUA_OPEN)
		return !ret->body.failed;
	bytes_le32(&ret->body, &ret->channel);
	if (ret->kind != OPCUA_OPEN)
		return bytes_le32(&ret->body, &ret->token);
	if (!opcua_string(&ret->body, &uri))
		return false;
	ret->policy = policy_of(uri);
	if (opcua_string(&ret->body, &uri))
		ret->certificate = thumbprint_of(uri);
	/* the thumbprint of the receiver's certificate */
	return opcua_string(&ret->body, &uri);
}

bool opcua_numbers_take(struct bytes *body, struct opcua_numbers *ret)
{
	bytes_le32(body, &ret->sequence);
	return bytes_le32(body, &ret->request);
}

bool opcua_follows(uint32_t n, uint32_t next)
{
	return next == n + 1u || (n > WRAPS_ABOVE && next < WRAPS_BELOW);
}

bool opcua_says_fits(const struct opcua_chunk *c)
{
	struct bytes b = c->body, text;

	switch (c->kind) {
	case OPCUA_HELLO: /* version, two buffer sizes, two limits; the endpoint URL */
		return bytes_skip(&b, 20) && opcua_string(&b, &text) && text.left <= OPCUA_URL_MAX && bytes_done(&b);
	case OPCUA_ACKNOWLEDGE:
		return bytes_skip(&b, 20) && bytes_done(&b);
	case OPCUA_ERROR:
		return bytes_skip(&b, 4) && opcua_string(&b, &text) && bytes_done(&b);
	case OPCUA_REVERSE_HELLO: /* from the server: its URI and its endpoint URL */
		opcua_string(&b, &text);
		return opcua_string(&b, &text) && bytes_done(&b);
	default:
		return false;
	}
}

/* ---- the first bytes of a session ------------------------------------------------------------ */

/* A client begins with a hello; a server begins with an acknowledge or an error. Where the server
 * opens the connection (OPC 10000-6, 7.1.3), the roles are exchanged. */
enum recognition recognise_opcua(enum direction dir, struct bytes head)
{
	static const struct {
		const char *letters;
		uint32_t least, most;
	} first[2][2] = {
		[DIR_C2S] = { { "HELF", 32, 32 + OPCUA_URL_MAX }, { "RHEF", 16, 16 + 2 * OPCUA_URL_MAX } },
		[DIR_S2C] = { { "ACKF", 28, 28 }, { "ERRF", 16, 16 + OPCUA_URL_MAX } },
	};
	enum recognition best = RECOGNISE_NOT;

	for (unsigned i = 0; i < 2; i++) {
		struct prefix p = { .b = head };
		uint32_t low, high;

		if (!may_be_word(&p, first[dir][i].letters))
			continue;
		low = next_byte(&p);
		high = next_byte(&p);
		if (!p.more && ((high << 8 | low) < first[dir][i].least || (high << 8 | low) > first[dir][i].most))
			continue;
		if (may_be_zeros(&p, 2) && best != RECOGNISED)
			best = so_far(&p);
	}
	return best;
}
