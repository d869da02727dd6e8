// SPDX-License-Identifier: GPL-3.0-or-later
//
// Flows on loopback made by real sockets. One flow a call: a socket pair lives only as long as its call.

#define _GNU_SOURCE
#include "CTestKit.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t loopback(int family, union address *out)
{
    memset(out, 0, sizeof(*out));
    out->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        out->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof(out->v4);
    }
    out->v6.sin6_addr = in6addr_loopback;
    return sizeof(out->v6);
}

static uint16_t port_of(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

static void describe(int family, int protocol, struct ctk_tuple *out)
{
    union address address;

    loopback(family, &address);
    memset(out, 0, sizeof(*out));
    out->family = (uint8_t)family;
    out->protocol = (uint8_t)protocol;
    if (family == AF_INET)
        memcpy(out->source, &address.v4.sin_addr, 4);
    else
        memcpy(out->source, &address.v6.sin6_addr, 16);
    memcpy(out->destination, out->source, sizeof(out->source));
}

/// A socket bound to loopback; what it waits for comes within seconds or not at all.
static int open_bound(int family, int type, int protocol, union address *bound)
{
    const struct timeval patience = {.tv_sec = 10};
    socklen_t length = loopback(family, bound);
    const int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (bind(fd, &bound->any, length) == 0 && getsockname(fd, &bound->any, &length) == 0)
        return fd;
    const int error = errno;
    close(fd);
    return -error;
}

static int exchange(int one, int other)
{
    char byte = 'x';

    if (send(one, &byte, 1, MSG_NOSIGNAL) != 1 || recv(other, &byte, 1, 0) != 1)
        return -errno;
    if (send(other, &byte, 1, MSG_NOSIGNAL) != 1 || recv(one, &byte, 1, 0) != 1)
        return -errno;
    return 0;
}

/// Both ends closed in order, the client first: FIN, FIN, and TIME_WAIT in the table.
static int converse(int client, int listener)
{
    char byte;
    const int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (server < 0)
        return -errno;
    int error = exchange(client, server);
    if (error == 0 && (shutdown(client, SHUT_WR) != 0 || recv(server, &byte, 1, 0) != 0))
        error = -EPROTO;
    shutdown(server, SHUT_WR);
    if (error == 0 && recv(client, &byte, 1, 0) != 0)
        error = -EPROTO;
    close(server);
    return error;
}

static int pair(int family, int type, int protocol, struct ctk_tuple *out)
{
    union address server_address, client_address;
    const int server = open_bound(family, type, protocol, &server_address);
    const int client = server < 0 ? server : open_bound(family, type, protocol, &client_address);
    const socklen_t length = loopback(family, &(union address){0});
    int error = client < 0 ? client : 0;

    if (error == 0 && type == SOCK_STREAM && listen(server, 1) != 0)
        error = -errno;
    if (error == 0 && connect(client, &server_address.any, length) != 0)
        error = -errno;
    if (error == 0 && type == SOCK_DGRAM && connect(server, &client_address.any, length) != 0)
        error = -errno;
    if (error == 0)
        error = type == SOCK_STREAM ? converse(client, server) : exchange(client, server);
    if (error == 0) {
        describe(family, protocol, out);
        out->source_port = port_of(&client_address);
        out->destination_port = port_of(&server_address);
    }
    if (client >= 0)
        close(client);
    if (server >= 0)
        close(server);
    return error;
}

int ctk_tcp_flow(int family, struct ctk_tuple *out)
{
    return pair(family, SOCK_STREAM, IPPROTO_TCP, out);
}

int ctk_udp_flow(int family, struct ctk_tuple *out)
{
    return pair(family, SOCK_DGRAM, IPPROTO_UDP, out);
}

int ctk_send_raw(int family, int protocol, const void *payload, size_t size, struct ctk_tuple *out)
{
    union address here;
    const int fd = open_bound(family, SOCK_RAW, protocol, &here);
    int error = 0;

    if (fd < 0)
        return fd;
    const socklen_t length = loopback(family, &here);
    if (sendto(fd, payload, size, 0, &here.any, length) != (ssize_t)size)
        error = -errno;
    close(fd);
    describe(family, protocol, out);
    return error;
}

/// RFC 1071. The kernel computes ICMPv6's, and none for a raw IPv4 socket.
static uint16_t checksum(const void *bytes, size_t size)
{
    const uint16_t *words = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < size / sizeof(*words); i++)
        sum += words[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

int ctk_echo(int family, uint16_t identifier, struct ctk_tuple *out)
{
    struct icmphdr v4 = {.type = ICMP_ECHO, .un.echo.id = htons(identifier), .un.echo.sequence = htons(1)};
    struct icmp6_hdr v6 = {.icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_id = htons(identifier), .icmp6_seq = htons(1)};
    int error;

    v4.checksum = checksum(&v4, sizeof(v4));
    if (family == AF_INET)
        error = ctk_send_raw(family, IPPROTO_ICMP, &v4, sizeof(v4), out);
    else
        error = ctk_send_raw(family, IPPROTO_ICMPV6, &v6, sizeof(v6), out);
    out->source_port = identifier;
    out->destination_port = (uint16_t)((family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST) << 8);
    return error;
}

int ctk_spray(uint32_t source, uint32_t destination, uint16_t port, uint16_t first, uint16_t count)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(destination)};
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    int sent = 0;

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
        sent = -errno;
    for (uint32_t i = 0; sent >= 0 && i < count; i++) {
        const uint16_t datagram[] = {htons((uint16_t)(first + i)), htons(port), htons(9), 0, 0};
        if (sendto(fd, datagram, 9, 0, (const struct sockaddr *)&to, sizeof(to)) == 9)
            sent++;
    }
    close(fd);
    return sent;
}
