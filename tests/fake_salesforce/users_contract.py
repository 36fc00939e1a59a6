"""What every `SalesforceGateway` must tell of the org's users."""

from __future__ import annotations

from tests.fake_salesforce.org_under_test import OrgContract, OrgUnderTest, someone


class UsersContract(OrgContract):
    """Finding users by address and by name."""

    def test_users_are_found_by_address_and_username_and_id_in_one_request(
        self, org: OrgUnderTest
    ) -> None:
        by_address, by_username, sandbox, gone = someone(), someone(), someone(), someone()
        elsewhere = [f"u.{address}" for address in (by_address, sandbox, gone)]
        wanted = {
            org.add_user(elsewhere[0], name="Address", email=by_address.upper()),
            org.add_user(by_username, name="Username", email=someone()),
            org.add_user(elsewhere[1], name="Sandbox", email=f"{sandbox}.invalid"),
            by_id := org.add_user(someone(), name="Id"),
        }
        org.add_user(elsewhere[2], name="Gone", email=gone)
        org.deactivate_user(elsewhere[2])
        gateway = org.gateway
        before = gateway.requests
        strangers = [someone() for _ in range(300)]
        found = gateway.users([by_address, by_username, sandbox, gone, *strangers], [by_id])
        assert gateway.requests == before + 1
        assert {user.id for user in found} == wanted
        assert {user.name for user in found} == {"Address", "Username", "Sandbox", "Id"}
        assert {user.username for user in found} >= {by_username, elsewhere[0]}

    def test_users_are_found_by_part_of_their_name(self, org: OrgUnderTest) -> None:
        name, username = someone().partition("@")[0], someone()
        user_id = org.add_user(username, name=f"O'Zebra-{name}")
        gateway = org.gateway
        for text in (f"zebra-{name[:8]}", username[:12], username):
            [found] = gateway.users_named(text)
            assert (found.id, found.name) == (user_id, f"O'Zebra-{name}")
        org.deactivate_user(username)
        assert not gateway.users_named(f"zebra-{name}")

    def test_queues_for_leads_are_found_by_name_and_by_id(self, org: OrgUnderTest) -> None:
        name = someone().partition("@")[0]
        org.add_user(someone(), name=f"Zed {name}")
        leads = org.add_queue(f"All {name}", ["Lead"])
        cases = org.add_queue(f"Support {name}", ["Case"])
        gateway = org.gateway
        before = gateway.requests
        user, queue = gateway.users_named(name)
        assert gateway.requests == before + 1
        assert (queue.id, queue.name, queue.is_queue) == (leads, f"All {name}", True)
        assert not user.is_queue
        assert [one.id for one in gateway.users((), [leads, cases])] == [leads]

    def test_find_tells_who_owns_accounts_in_the_same_request(self, org: OrgUnderTest) -> None:
        usernames = [someone(), someone()]
        owners = [org.add_user(username, name="Owner") for username in usernames]
        addresses = [someone(), someone(), someone()]
        accounts = [org.add("Account", Name="Owned", OwnerId=owner) for owner in owners]
        for address, account in zip(addresses, accounts, strict=False):
            org.add("Contact", LastName="One", Email=address, AccountId=account)
        org.add("Contact", LastName="Alone", Email=addresses[2])
        org.deactivate_user(usernames[1])
        gateway = org.gateway
        before = gateway.requests
        found = gateway.find(addresses, account_owners=accounts)
        assert gateway.requests == before + 1
        told = [found.people[address][0].account_owner for address in addresses]
        assert told == [owners[0], None, None]
        assert found.account_owners == {accounts[0][:15]: owners[0], accounts[1][:15]: None}
        plain = gateway.find(addresses[:1])
        assert plain.people[addresses[0]][0].account_owner is None
        assert plain.account_owners == {}

    def test_what_is_not_told_of_visibility_is_unknown(self, org: OrgUnderTest) -> None:
        gateway = org.gateway
        user_id = gateway.org_facts().user_id
        before = gateway.requests
        told = gateway.visibility(user_id)
        assert gateway.requests == before + 1
        assert told.defaults == dict.fromkeys(("Account", "Contact", "Lead"), org.sharing)
        assert told.all_contacts is None
