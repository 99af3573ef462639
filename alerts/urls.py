from __future__ import annotations

from django.urls import path

from alerts import views

app_name = "alerts"
urlpatterns = [
    path("", views.alerts, name="alerts"),
    path("read/", views.read_all, name="read_all"),
    path("acknowledge/", views.acknowledge_all, name="acknowledge_all"),
    path("<int:alert_id>/acknowledge/", views.acknowledge_one, name="acknowledge"),
    path("channels/", views.channels, name="channels"),
    path("channels/link/", views.link, name="link"),
    path("channels/mailbox/", views.mailbox, name="mailbox"),
    path("channels/webhook/", views.webhook, name="webhook"),
    path("channels/test/", views.test, name="test"),
    path("channels/<uuid:channel_id>/code/", views.mail_code, name="mail_code"),
    path("channels/<uuid:channel_id>/confirm/", views.confirm, name="confirm"),
    path("channels/<uuid:channel_id>/remove/", views.remove, name="remove"),
]
