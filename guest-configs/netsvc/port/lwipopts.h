/* SPDX-License-Identifier: MIT */
/* lwIP as netsvc needs it: no threads, raw API, IPv4, Ethernet, at most a few dozen clients. */
#ifndef GUEST_CONFIGS_NETSVC_PORT_LWIPOPTS_H
#define GUEST_CONFIGS_NETSVC_PORT_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_RAW             0
#define LWIP_IPV6            0
#define LWIP_STATS           0

#define MEM_ALIGNMENT              8
#define MEM_SIZE                   (256 * 1024)
#define MEMP_NUM_PBUF              256
#define MEMP_NUM_UDP_PCB           4
#define MEMP_NUM_TCP_PCB           48
#define MEMP_NUM_TCP_SEG           256
#define MEMP_NUM_REASSDATA         16
#define PBUF_POOL_SIZE             256
#define PBUF_POOL_BUFSIZE          1536
#define ARP_TABLE_SIZE             127
#define ETHARP_SUPPORT_VLAN        0
#define IP_REASS_MAX_PBUFS         64
#define LWIP_CHKSUM_ALGORITHM      3
#define LWIP_NETIF_HOSTNAME        0
#define LWIP_NETIF_STATUS_CALLBACK 0

/* Less than the NIC's ring has room for; lwiperf takes all at once. */
#define TCP_MSS            1460
#define LWIP_WND_SCALE     1
#define TCP_RCV_SCALE      1
#define TCP_WND            (64 * TCP_MSS)
#define TCP_SND_BUF        (32 * TCP_MSS)
#define TCP_SND_QUEUELEN   128
#define TCP_LISTEN_BACKLOG 1

/* The server hears clients that have no address yet. */
#define LWIP_IP_ACCEPT_UDP_PORT(port) ((port) == PP_NTOHS(67))

/* The web server's files are those of page.c. */
#define LWIP_HTTPD_CGI             0
#define LWIP_HTTPD_SSI             0
#define LWIP_HTTPD_DYNAMIC_HEADERS 1
#define LWIP_HTTPD_FILE_EXTENSION  1
#define HTTPD_SERVER_AGENT         "netsvc"

#endif
