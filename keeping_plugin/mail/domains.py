"""What a mail domain tells: whether it may be a company's, and the part that its owner registered.

`_PERSONAL` are providers of personal mail, as of 30 November 2026: the domains that stand both in
email-providers 2.26.0 (common.json, ISC license) and in free-email-domains 1.12.6 (MIT license),
without some that companies write from themselves, and with large providers that one of them lacks.
Public suffixes are those of the Public Suffix List, as the package publicsuffixlist carries them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from publicsuffixlist import PublicSuffixList

_PERSONAL: Final = frozenset(
    """126.com 163.com 21cn.com 37.com 4mg.com abv.bg adelphia.net aim.com albawaba.com alice.it
    aliyun.com altavista.com ananzi.co.za angelfire.com aol.co.uk aol.com aol.de aol.fr
    arcor.de att.net bangkok.com bellatlantic.net bellsouth.net berlin.de bigfoot.com
    bigpond.com bigpond.net.au blackplanet.com bluewin.ch blueyonder.co.uk bright.net
    btconnect.com btinternet.com btopenworld.com c2i.net c3.hu cableone.net canada.com
    care2.com centrum.cz chacuo.net charter.net chat.ru chello.nl chez.com clerk.com
    club-internet.fr cogeco.ca comcast.net compuserve.com cox.net crosswinds.net daum.net
    depechemode.com detik.com docomo.ne.jp doctor.com earthlink.net eircom.net elvis.com
    emailondeck.com everyone.net excite.co.jp excite.com excite.it fastmail.com fastmail.fm
    fortunecity.com foxmail.com free.fr freenet.de freeserve.co.uk freeuk.com freeyellow.com
    frontier.com frontiernet.net fuse.net gazeta.pl geocities.com globo.com gmail.com
    gmail.com.br gmail.or.at gmail.ru gmx.at gmx.ca gmx.ch gmx.co.uk gmx.com gmx.de gmx.es
    gmx.fr gmx.hk gmx.ie gmx.li gmx.net gmx.pt gmx.sg gmx.tw gmx.us go.ro go2net.com
    googlemail.com gportal.hu guerrillamail.com hetnet.nl hey.com hispavista.com hot.ee
    hotbot.com hotmail.be hotmail.ca hotmail.ch hotmail.co hotmail.co.il hotmail.co.in
    hotmail.co.jp hotmail.co.kr hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.co.za
    hotmail.com hotmail.com.au hotmail.com.br hotmail.com.tr hotmail.cz hotmail.de hotmail.dk
    hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.it hotmail.jp hotmail.kg
    hotmail.kz hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.ru hotmail.se hotmail.sg
    hushmail.com i.am i.ua icloud.com icq.com idirect.com iespana.es ig.com.br iinet.net.au
    inbox.com inbox.lv incredimail.com indiatimes.com interfree.it interia.pl iol.it
    iprimus.com.au ireland.com iwon.com juno.com kiwibox.com land.ru laposte.net lawyer.com
    lex.bg libero.it list.ru live.at live.be live.ca live.cl live.cn live.co.kr live.co.uk
    live.co.za live.com live.com.ar live.com.au live.com.mx live.com.pt live.com.sg live.de
    live.dk live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se
    looksmart.com lycos.co.uk lycos.com lycos.de lycos.es lycos.it mac.com mail.com mail.ru
    mailbox.org mailinator.com masrawy.com mchsi.com me.com mindspring.com msn.cn msn.co.uk
    msn.com msn.nl myway.com nate.com naver.com netscape.com netscape.net netspace.net.au
    netzero.net neuf.fr newmail.ru ntlworld.com o2.co.uk o2.pl oi.com.br onet.pl onlinehome.de
    optimum.net optusnet.com.au orange.fr outlook.at outlook.be outlook.cl outlook.co.id
    outlook.co.il outlook.co.nz outlook.co.th outlook.com outlook.com.au outlook.com.br
    outlook.com.gr outlook.com.pe outlook.com.tr outlook.com.vn outlook.cz outlook.de
    outlook.dk outlook.edu.pl outlook.es outlook.fr outlook.hu outlook.ie outlook.in
    outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.nl outlook.ph outlook.pt
    outlook.sa outlook.sg outlook.sk outlook.tw ozemail.com.au pacbell.net planet.nl pm.me
    pobox.com pochta.ru poste.it posteo.de posteo.net prodigy.net proton.me protonmail.ch
    protonmail.com ptd.net qq.com qwest.net r7.com rambler.ru rcn.com rediffmail.com
    rediffmailpro.com rin.ru roadrunner.com rogers.com rr.com sanook.com sapo.pt saudia.com
    sbcglobal.net sci.fi seznam.cz sfr.fr shaw.ca she.com sify.com sina.cn sina.com
    singnet.com.sg skynet.be sp.nl spacewar.com spray.se starmedia.com supereva.it swbell.net
    sweb.cz sympatico.ca t-online.de talktalk.co.uk talktalk.net tds.net telenet.be
    telstra.com telus.net temp-mail.org terra.cl terra.com terra.com.ar terra.com.br terra.es
    tin.it tiscali.co.uk tiscali.it tom.com tpg.com.au tuta.com tuta.io tutamail.com
    tutanota.com tutanota.de ukr.net uol.com.br verizon.net virgilio.it virgin.net
    virginmedia.com voila.fr walla.co.il wanadoo.es wanadoo.fr web.de webindia123.com
    westnet.com.au wowway.com wp.pl xoom.com ya.ru yahoo.ae yahoo.at yahoo.be yahoo.ca
    yahoo.ch yahoo.cn yahoo.co yahoo.co.id yahoo.co.il yahoo.co.in yahoo.co.jp yahoo.co.kr
    yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com yahoo.com.ar yahoo.com.au
    yahoo.com.br yahoo.com.cn yahoo.com.co yahoo.com.hk yahoo.com.is yahoo.com.mx yahoo.com.my
    yahoo.com.ph yahoo.com.ru yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.cz
    yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it
    yahoo.jp yahoo.nl yahoo.no yahoo.pl yahoo.pt yahoo.ro yahoo.ru yahoo.se yam.com yandex.by
    yandex.com yandex.kz yandex.pl yandex.ru yandex.ua yeah.net ymail.com ymail.ne.jp
    yopmail.com zoho.com zonnet.nl zzn.com""".split()
)


def is_personal(domain: str) -> bool:
    """Whether this `addresses.domain_key`, or one above it, is a provider's of personal mail."""
    return domain in _PERSONAL or registered(domain) in _PERSONAL


def is_public_suffix(domain: str) -> bool:
    """Whether anybody may register names below it: com, co.uk."""
    return bool(domain) and _suffixes().is_public(domain)


def registered(domain: str) -> str:
    """The part that its owner registered: acme.co.uk of mail.acme.co.uk; "" of a public suffix."""
    return _suffixes().privatesuffix(domain) or "" if domain else ""


def may_be_a_company(domain: str) -> bool:
    """Whether the people of this domain may belong to one company. Not those of personal mail, of a
    public suffix, of an IP address or of a single label."""
    bare = domain.strip("[]")
    if "." not in domain or bare.replace(".", "").isdigit():
        return False
    return bool(registered(domain)) and not is_personal(domain)


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Read when first asked for: that takes about 0.1 s."""
    return PublicSuffixList()
