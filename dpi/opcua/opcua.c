/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/opcua.h"

#include <stddef.h>
#include <string.h>

#include "dpi/opcua/words.h"

_Static_assert(sizeof(struct opcua_state) <= ENFORCER_STATE_MAX, "OPC UA state must fit into a flow");
_Static_assert(OPCUA_PDU_MAX <= ENFORCER_PDU_MAX, "the longest message must fit into what is kept");

/* Types of a request for a channel (OPC 10000-4, 5.6.2), and the only security mode without a
 * policy. */
#define ISSUE 0u
#define RENEW 1u
#define MODE_NONE 1u

/* Indexes of parsed.kept, in which `parse` hands data to `asked`. */
#define NUMBERLESS UINT64_MAX /* KEPT_REQUEST of chunks that do not form a message */
enum kept { KEPT_KIND, KEPT_FIRST, KEPT_LAST, KEPT_REQUEST, KEPT_CHANNEL, KEPT_TOKEN, KEPT_POLICY, KEPT_RENEWS };

/* a security policy encrypts the sequence numbers, so the certificate is in their entry */
#define KEPT_CERTIFICATE KEPT_FIRST

static bool is_secured(uint8_t policy)
{
	return policy > OPCUA_POLICY_NONE;
}

static enum frame_result opcua_find_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	const struct opcua_state *s = state;

	if (dir == DIR_C2S || s->rest == 0)
		return opcua_frame(head, dir, !is_secured(s->policy), ret_len);
	*ret_len = s->rest < OPCUA_PIECE ? s->rest : OPCUA_PIECE;
	if (head.left >= *ret_len)
		return FRAME_WHOLE;
	*ret_len = 0;
	return FRAME_NEED_MORE;
}

/* Reads the service at the beginning of a chunk. False: there is no readable one. */
static bool read_service(struct bytes pdu, uint32_t *ret)
{
	struct opcua_numbers n;
	struct opcua_chunk c;

	return opcua_chunk_take(&pdu, &c) && c.kind > OPCUA_OPEN && opcua_numbers_take(&c.body, &n) &&
	       opcua_service_take(&c.body, ret);
}

/* Whether a request with this service is known. */
static bool is_request(uint32_t service)
{
	return opcua_answer_of_service(service) != 0;
}

static bool is_answer(uint32_t service)
{
	return service == OPCUA_FAULT || opcua_service_of_answer(service) != 0;
}

static bool is_clear(struct bytes pdu)
{
	uint32_t service;

	return read_service(pdu, &service) && (is_request(service) || is_answer(service));
}

/* Whether this is a message of this end with a known service, or one that opens a connection. */
static bool opcua_likely(const void *state, enum direction dir, struct bytes pdu)
{
	struct opcua_chunk c;
	struct bytes b = pdu;
	uint32_t service;

	if (!opcua_chunk_take(&b, &c))
		return false;
	if (c.kind < OPCUA_OPEN)
		return opcua_says_fits(&c) && (dir == DIR_C2S) == (c.kind == OPCUA_HELLO);
	if (c.kind == OPCUA_OPEN)
		return c.policy != OPCUA_POLICY_OTHER;
	return read_service(pdu, &service) && (dir == DIR_C2S ? is_request(service) : is_answer(service));
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The operation of an encrypted message. Nobody can read it, so it counts as everything that a
 * client may ask for. Its address is the certificate with which the client opened the channel. */
static void secured(struct parsed *ret, uint8_t policy, uint64_t certificate)
{
	struct operation o = opcua_operation(OPCUA_SECURED, policy);

	o.place_unknown = certificate == 0;
	if (certificate != 0) {
		o.space = OPCUA_CERTIFICATES;
		o.first = certificate;
		o.count = 1;
	}
	o.values.form = VALUES_UNKNOWN;
	ret->operations[0] = o;
	ret->n = 1;
	ret->wrong = R_ALLOWED;
}

static void parse_says(const struct opcua_chunk *c, struct parsed *ret)
{
	struct operation o = opcua_operation(OPCUA_SAYS(c->kind), OPCUA_POLICY_UNKNOWN);

	o.setup = true;
	o.idle |= 1u << OPCUA_POLICY;
	ret->operations[0] = o;
	ret->n = 1;
	ret->wrong = !opcua_says_fits(c)	      ? R_OPCUA_FRAME
		     : c->kind == OPCUA_REVERSE_HELLO ? R_OPCUA_REVERSE
		     : c->kind == OPCUA_HELLO	      ? R_ALLOWED
						      : R_OPCUA_SESSION;
}

/* Reads a request to open a channel without security; its security mode must be none, too. */
static void opening(struct bytes body, struct parsed *ret)
{
	uint32_t version, type, mode, code;
	struct bytes b = body;

	opcua_request_parse(body, OPCUA_POLICY_NONE, ret);
	if (!opcua_service_take(&b, &code) || code != OPCUA_OPEN_CHANNEL || !opcua_request_header_take(&b)) {
		ret->wrong = R_OPCUA_FRAME;
		return;
	}
	bytes_le32(&b, &version);
	bytes_le32(&b, &type);
	bytes_le32(&b, &mode);
	/* the nonce and the lifetime were read as part of the request */
	ret->kept[KEPT_RENEWS] = type;
	if (type > RENEW || mode != MODE_NONE)
		ret->wrong = R_OPCUA_FRAME;
}

/* Puts the chunks of a message together. They must have the same channel, token and request number,
 * and no other chunk may be between them. */
static bool chunks_join(struct bytes pdu, struct parsed *ret, struct bytes *ret_body, bool *ret_numbered)
{
	struct opcua_numbers first = { 0 }, last = { 0 }, n;
	struct opcua_chunk head = { 0 }, c;
	size_t all = 0;

	*ret_numbered = true;
	while (pdu.left > 0) {
		if (!opcua_chunk_take(&pdu, &c) || !opcua_numbers_take(&c.body, &n) || c.chunk == 'A')
			return false;
		if (head.kind == OPCUA_NO_KIND) {
			head = c;
			first = n;
		} else if (c.channel != head.channel || c.token != head.token || n.request != first.request ||
			   opcua_request_is_whole(c.body)) {
			/* a server that does not put chunks together would execute the later chunk
			 * by itself */
			return false;
		} else if (!opcua_follows(last.sequence, n.sequence)) {
			*ret_numbered = false;
		}
		last = n;
		*ret_body = c.body;
		if (c.chunk == 'F' && all == 0) /* a single chunk need not be copied */
			break;
		if (c.body.left > ENFORCER_PDU_MAX - all)
			return false;
		bytes_copy(&c.body, ret->joined + all, c.body.left);
		all += ret_body->left;
		*ret_body = bytes_of(ret->joined, all);
	}
	if (head.kind == OPCUA_NO_KIND)
		return false;
	ret->kept[KEPT_FIRST] = first.sequence;
	ret->kept[KEPT_LAST] = last.sequence;
	ret->kept[KEPT_REQUEST] = first.request;
	return true;
}

static void parse_message(struct bytes pdu, const struct opcua_chunk *c, uint8_t policy, struct parsed *ret)
{
	struct bytes body;
	bool numbered;

	ret->operations[0] = opcua_operation(0, policy);
	ret->n = 1;
	ret->kept[KEPT_REQUEST] = NUMBERLESS;
	if (!chunks_join(pdu, ret, &body, &numbered))
		return;
	if (c->kind == OPCUA_OPEN)
		opening(body, ret);
	else
		opcua_request_parse(body, policy, ret);
	if (ret->n == 0) { /* no service */
		ret->n = 1;
		ret->wrong = R_OPCUA_FRAME;
		return;
	}
	/* only an OPN message opens a channel, and only a CLO message closes it */
	if (ret->wrong == R_ALLOWED &&
	    ((ret->operations[0].service == OPCUA_OPEN_CHANNEL) != (c->kind == OPCUA_OPEN) ||
	     (ret->operations[0].service == OPCUA_CLOSE_CHANNEL) != (c->kind == OPCUA_CLOSE)))
		ret->wrong = R_OPCUA_SESSION;
	if (ret->wrong == R_ALLOWED && !numbered)
		ret->wrong = R_OPCUA_NUMBER;
}

static void opcua_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	const struct opcua_state *s = state;
	struct opcua_chunk c;
	struct bytes b = pdu;
	uint8_t policy = s->policy;

	ret->asks = dir == DIR_C2S;
	if (!ret->asks || !opcua_chunk_take(&b, &c))
		return;
	ret->kept[KEPT_KIND] = c.kind;
	ret->kept[KEPT_CHANNEL] = c.channel;
	ret->kept[KEPT_TOKEN] = c.token;
	if (c.kind < OPCUA_OPEN) {
		parse_says(&c, ret);
		return;
	}
	if (c.kind == OPCUA_OPEN)
		policy = c.policy;
	else if (policy == OPCUA_POLICY_UNKNOWN && (!s->met || is_clear(pdu)))
		policy = OPCUA_POLICY_NONE;
	ret->kept[KEPT_POLICY] = policy;
	if (policy == OPCUA_POLICY_NONE)
		parse_message(pdu, &c, policy, ret);
	else {
		ret->kept[KEPT_CERTIFICATE] = c.kind == OPCUA_OPEN ? c.certificate : s->certificate;
		secured(ret, policy, ret->kept[KEPT_CERTIFICATE]);
	}
}

static bool knows_token(const struct opcua_state *s, uint32_t token)
{
	for (unsigned i = 0; i < s->tokens; i++)
		if (s->token[i] == token)
			return true;
	return s->tokens == 0;
}

/* The reason why a request is not allowed in the present state of its session; R_ALLOWED when it
 * is. */
static enum reason in_session(struct opcua_state *s, const struct parsed *p)
{
	uint32_t channel = (uint32_t)p->kept[KEPT_CHANNEL];
	uint8_t policy = (uint8_t)p->kept[KEPT_POLICY];
	bool opened = s->phase == OPCUA_OPENED || s->phase == OPCUA_ANY;

	switch (p->kept[KEPT_KIND]) {
	case OPCUA_HELLO:
		if (s->phase != OPCUA_FRESH && s->phase != OPCUA_ANY)
			return R_OPCUA_SESSION;
		s->phase = OPCUA_GREETED;
		return R_ALLOWED;
	case OPCUA_OPEN:
		if (s->phase != OPCUA_READY && !opened)
			return R_OPCUA_SESSION;
		if ((opened && s->policy != OPCUA_POLICY_UNKNOWN && policy != s->policy) ||
		    (s->channel_known && channel != s->channel))
			return R_OPCUA_CHANNEL;
		if (is_secured(policy)) {
			if (opened && s->certificate != 0 && p->kept[KEPT_CERTIFICATE] != s->certificate)
				return R_OPCUA_CHANNEL;
			s->certificate = p->kept[KEPT_CERTIFICATE];
		} else if (s->phase != OPCUA_ANY && (p->kept[KEPT_RENEWS] == RENEW) != opened)
			return R_OPCUA_CHANNEL;
		if (s->phase == OPCUA_READY)
			s->phase = OPCUA_OPENING;
		s->policy = policy;
		return R_ALLOWED;
	case OPCUA_MESSAGE:
	case OPCUA_CLOSE:
		if (!opened)
			return R_OPCUA_SESSION;
		if ((s->channel_known && channel != s->channel) || !knows_token(s, (uint32_t)p->kept[KEPT_TOKEN]))
			return R_OPCUA_CHANNEL;
		if (p->kept[KEPT_KIND] == OPCUA_CLOSE)
			s->phase = OPCUA_CLOSED;
		return R_ALLOWED;
	default:
		return R_OPCUA_SESSION;
	}
}

/* Whether `first` is the next sequence number. Counting continues from `last` in any case. */
static bool sequence_counts(struct opcua_state *s, enum direction dir, uint32_t first, uint32_t last)
{
	bool fits = !s->counts[dir] || opcua_follows(s->sequence[dir], first);

	s->counts[dir] = true;
	s->sequence[dir] = last;
	return fits;
}

static struct opcua_open *open_find(struct opcua_state *s, uint32_t request, uint32_t *ret_at)
{
	for (uint32_t i = 0; i < s->wait.n; i++)
		if (s->open[i].request == request) {
			*ret_at = i;
			return &s->open[i];
		}
	return NULL;
}

static void request_remember(struct opcua_state *s, const struct parsed *p, const struct ruling *ruling,
			     struct pdu *ret)
{
	const struct operation *o = &p->operations[ruling->operation < p->n ? ruling->operation : 0];
	uint32_t request = (uint32_t)p->kept[KEPT_REQUEST], at;
	struct opcua_open *before = open_find(s, request, &at);

	if (before != NULL) { /* nobody could tell which of two equal request numbers is answered */
		if (ret->reason == R_ALLOWED)
			ret->reason = R_OPCUA_NUMBER;
		else
			before->wait.reason = (uint8_t)ret->reason;
		return;
	}
	if (!pending_room(&opcua_enforcer, s, ret))
		return;
	s->open[s->wait.n++] = (struct opcua_open){
		.wait = { .choice = ruling->choice, .reason = (uint8_t)ret->reason },
		.request = request,
		.service = o->service & 0x7fffffffu,
	};
}

static void opcua_asked(void *state, const struct parsed *p, const struct ruling *ruling, struct pdu *ret)
{
	struct opcua_state *s = state;
	uint64_t kind = p->kept[KEPT_KIND];
	enum reason session;

	if (kind == OPCUA_NO_KIND)
		return;
	session = in_session(s, p);
	if (ret->reason == R_ALLOWED)
		ret->reason = session;
	if (kind < OPCUA_OPEN || p->kept[KEPT_POLICY] != OPCUA_POLICY_NONE)
		return;
	if (p->kept[KEPT_REQUEST] == NUMBERLESS) {
		s->counts[DIR_C2S] = false;
		s->wait.unread = true;
		return;
	}
	if (session == R_ALLOWED)
		s->policy = OPCUA_POLICY_NONE;
	if (!sequence_counts(s, DIR_C2S, (uint32_t)p->kept[KEPT_FIRST], (uint32_t)p->kept[KEPT_LAST]) &&
	    ret->reason == R_ALLOWED)
		ret->reason = R_OPCUA_NUMBER;
	if (kind != OPCUA_CLOSE)
		request_remember(s, p, ruling, ret);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whether the rows allow some request for this service, so that its answer may pass although the
 * request was not seen. */
static enum reason judge_unseen(const struct allowance *by, uint32_t service, uint8_t policy, struct pdu *ret)
{
	struct operation o = opcua_operation(service, policy);
	struct ruling ruling;

	evaluate_unseen(by, &o, &ruling);
	ret->allowed = ruling.reason == R_ALLOWED;
	pdu_name_ruling(ret, &ruling);
	return ruling.reason;
}

/* After bytes were missed, an answer may belong to a request that was not seen. */
static void answered_unseen(struct opcua_state *s, uint32_t service, const struct allowance *by, struct pdu *ret)
{
	uint32_t asks = opcua_service_of_answer(service);

	ret->reason = R_OPCUA_RESPONSE;
	if (s->wait.unseen == 0 || (asks == 0 && service != OPCUA_FAULT))
		return;
	pending_answered_unseen(&s->wait, R_OPCUA_UNSEEN, R_OPCUA_UNREAD, ret);
	ret->function = asks != 0 ? asks : service;
	pdu_name_choice(by, 0, ret);
	if (ret->allowed && asks != 0 && function_by_code(&vocabulary_opcua, asks)->classes != 0 &&
	    judge_unseen(by, asks, OPCUA_POLICY_NONE, ret) != R_ALLOWED)
		ret->reason = R_OPCUA_FUNCTION;
}

/* Reads the answer to a request for a channel: the channel's number and token (OPC 10000-4,
 * 5.6.2). */
static bool channel_opened(struct opcua_state *s, const struct opcua_chunk *c, struct bytes body)
{
	uint32_t version, channel, token;
	struct bytes nonce;

	bytes_le32(&body, &version);
	bytes_le32(&body, &channel);
	bytes_le32(&body, &token);
	bytes_skip(&body, 8 + 4); /* time of creation, and lifetime */
	if (!opcua_string(&body, &nonce) || !bytes_done(&body) || channel != c->channel ||
	    (s->channel_known && channel != s->channel))
		return false;
	s->channel_known = true;
	s->channel = channel;
	s->token[1] = s->token[0];
	s->token[0] = token;
	s->tokens = s->tokens < 2 ? s->tokens + 1u : 2u;
	s->phase = OPCUA_OPENED;
	return true;
}

/* Whether this chunk may belong to the answer to `o`. The first chunk names the service. */
static bool chunk_fits(struct opcua_state *s, const struct opcua_open *o, const struct opcua_chunk *c,
		       struct bytes body, struct pdu *ret)
{
	uint32_t service, code, expected = opcua_answer_of_service(o->service);
	bool all = c->chunk == 'F' && s->rest == 0;
	struct bytes reason;

	if (c->chunk == 'A') { /* the answer is aborted: a code and a reason (OPC 10000-6, 6.7.3) */
		ret->exception = true;
		return bytes_le32(&body, &code) && opcua_string(&body, &reason) && bytes_done(&body);
	}
	if (o->begun)
		return true;
	if (!opcua_service_take(&body, &service) || (service != OPCUA_FAULT && expected != 0 && service != expected))
		return false;
	if (!opcua_answer_header_take(&body, &ret->exception) && all)
		return false;
	ret->exception = ret->exception || service == OPCUA_FAULT;
	if ((c->kind == OPCUA_OPEN) != (o->service == OPCUA_OPEN_CHANNEL))
		return false;
	if (c->kind == OPCUA_OPEN && service == OPCUA_FAULT && s->phase == OPCUA_OPENING)
		s->phase = OPCUA_READY;
	return c->kind != OPCUA_OPEN || service == OPCUA_FAULT || channel_opened(s, c, body);
}

static void answer_chunk(struct opcua_state *s, const struct opcua_chunk *c, const struct allowance *by,
			 struct pdu *ret)
{
	struct opcua_numbers n;
	struct bytes body = c->body;
	struct opcua_open *o;
	uint32_t at;

	ret->targets[OPCUA_POLICY] = OPCUA_POLICY_NONE;
	if (!opcua_numbers_take(&body, &n))
		return;
	if (!sequence_counts(s, DIR_S2C, n.sequence, n.sequence) && !judge_forgives(by, LENIENT_NUMBERING)) {
		ret->reason = R_OPCUA_NUMBER;
		return;
	}
	o = open_find(s, n.request, &at);
	if (o == NULL) {
		ret->reason = R_OPCUA_RESPONSE;
		if (c->kind == OPCUA_MESSAGE && opcua_service_take(&body, &ret->function))
			answered_unseen(s, ret->function, by, ret);
		return;
	}
	ret->function = o->service;
	if (!chunk_fits(s, o, c, body, ret)) {
		ret->reason = R_OPCUA_RESPONSE;
		return;
	}
	judge_answer(by, &o->wait, ret);
	o->begun = 1;
	if (c->chunk != 'C')
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), at);
}

/* Judges messages of a server that answer no request: acknowledge and error. */
static enum reason judge_told(struct opcua_state *s, const struct opcua_chunk *c)
{
	if (!opcua_says_fits(c))
		return R_OPCUA_FRAME;
	if (c->kind == OPCUA_ACKNOWLEDGE && s->phase == OPCUA_GREETED) {
		s->phase = OPCUA_READY;
		return R_ALLOWED;
	}
	if (c->kind == OPCUA_ACKNOWLEDGE && s->phase == OPCUA_ANY)
		return R_ALLOWED;
	if (c->kind == OPCUA_ERROR && s->phase != OPCUA_FRESH) {
		s->phase = OPCUA_CLOSED;
		return R_ALLOWED;
	}
	return R_OPCUA_SESSION;
}

/* The reason why a server's OPN or MSG is not allowed now; R_ALLOWED when it is. */
static enum reason in_channel(const struct opcua_state *s, const struct opcua_chunk *c)
{
	bool may = s->phase == OPCUA_OPENED || s->phase == OPCUA_ANY;

	if (c->kind == OPCUA_OPEN) {
		if (!may && s->phase != OPCUA_OPENING)
			return R_OPCUA_SESSION;
		return s->policy != OPCUA_POLICY_UNKNOWN && c->policy != s->policy ? R_OPCUA_CHANNEL : R_ALLOWED;
	}
	if (c->kind != OPCUA_MESSAGE || (!may && s->phase != OPCUA_CLOSED))
		return R_OPCUA_SESSION;
	/* Some servers answer with the token of the request, which may have waited for long. */
	return s->channel_known && c->channel != s->channel ? R_OPCUA_CHANNEL : R_ALLOWED;
}

static void answered_chunk(struct opcua_state *s, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct bytes b = pdu;
	struct opcua_chunk c;
	uint8_t policy;

	if (!opcua_chunk_take(&b, &c))
		return;
	if (c.size > pdu.left)
		s->rest = c.size - (uint32_t)pdu.left;
	ret->function = c.kind < OPCUA_OPEN ? OPCUA_SAYS(c.kind) : 0;
	ret->reason = c.kind < OPCUA_OPEN ? judge_told(s, &c) : in_channel(s, &c);
	if (c.kind < OPCUA_OPEN || ret->reason != R_ALLOWED) {
		ret->allowed = ret->reason == R_ALLOWED;
		return;
	}
	ret->reason = R_OPCUA_FRAME;
	policy = c.kind == OPCUA_OPEN ? c.policy : s->policy;
	if (!is_secured(policy) && (policy != OPCUA_POLICY_UNKNOWN || is_clear(pdu))) {
		answer_chunk(s, &c, by, ret);
		return;
	}
	if (c.kind == OPCUA_OPEN) {
		s->phase = OPCUA_OPENED;
		s->channel = c.channel;
		s->channel_known = true;
	}
	ret->function = OPCUA_SECURED;
	ret->targets[OPCUA_POLICY] = policy;
	ret->reason = judge_unseen(by, OPCUA_SECURED, policy, ret);
}

static void opcua_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct opcua_state *s = state;

	ret->reason = R_OPCUA_FRAME;
	pdu_name_choice(by, 0, ret);
	if (s->rest > 0) {
		s->rest -= pdu.left < s->rest ? (uint32_t)pdu.left : s->rest;
		ret->function = s->rest_function;
		ret->reason = (enum reason)s->rest_reason;
		ret->allowed = s->rest_allowed;
		return;
	}
	answered_chunk(s, pdu, by, ret);
	s->rest_function = ret->function;
	s->rest_reason = (uint8_t)ret->reason;
	s->rest_allowed = ret->allowed;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void opcua_missed(void *state)
{
	struct opcua_state *s = state;

	s->met = true;
	s->phase = OPCUA_ANY;
	s->counts[0] = s->counts[1] = s->channel_known = false;
	s->tokens = 0;
	s->certificate = 0;
	s->rest = 0;
}

const struct enforcer opcua_enforcer = {
	.protocol = PROTO_OPCUA,
	.pdu_max = OPCUA_PDU_MAX,
	.state_size = sizeof(struct opcua_state),
	.open = PENDING_IN(struct opcua_state, OPCUA_OPEN_MAX),
	.frame = opcua_find_frame,
	.malformed = R_OPCUA_FRAME,
	.too_long = R_OPCUA_SIZE,
	.pending = R_OPCUA_PENDING,
	.parse = opcua_parse,
	.asked = opcua_asked,
	.answered = opcua_answered,
	.segment = opcua_segment,
	.missed = opcua_missed,
	.likely = opcua_likely,
};
