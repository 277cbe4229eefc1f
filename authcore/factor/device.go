package factor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const (
	// deviceKind is the kind of the records of remembered devices.
	deviceKind = "device"
	// devicesOfUser limits the remembered devices of a user.
	devicesOfUser = 20
	// maxDeviceToken limits the length of the tokens that are looked up.
	maxDeviceToken = 128
)

// Device is a browser or application that proved a second factor and asked to be
// remembered. The zero value replaces no factor.
type Device struct {
	// ID is the key of its record: a digest of its token.
	ID        string
	Created   time.Time
	Expires   time.Time
	UserAgent string

	userID string
	epoch  int
}

// deviceData is the content of a "device" record.
type deviceData struct {
	// Epoch is the User.DeviceEpoch at the login. The device is forgotten when that
	// has changed.
	Epoch     int    `json:"epoch"`
	UserAgent string `json:"user_agent,omitempty"`
}

// Replaces reports whether the device replaces the second factor of a user: it belongs to
// this user, who has not forgotten it.
func (d Device) Replaces(user authcore.User) bool {
	return d.userID != "" && d.userID == user.ID && d.epoch == user.DeviceEpoch
}

// Remembers returns the time for which a device is remembered; zero remembers none.
func (s *Service) Remembers() time.Duration { return s.cfg.Remember }

// Remember stores a device of a user who has just proven a second factor. It returns the
// token that the device presents at later logins, which is a secret.
func (s *Service) Remember(ctx context.Context, user authcore.User, caller authcore.Caller) (string, error) {
	if s.cfg.Remember == 0 {
		return "", nil
	}
	token := authcore.RandomSecret()
	data, err := json.Marshal(deviceData{Epoch: user.DeviceEpoch, UserAgent: session.CleanUserAgent(caller.UserAgent)})
	if err != nil {
		return "", authcore.Unavailable(err)
	}
	now := s.cfg.Now()
	record := authcore.Record{RecordKey: deviceKey(token), Owner: user.ID, Created: now, Expires: now.Add(s.cfg.Remember), Data: data}
	err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, Keep: devicesOfUser, OwnedByUser: true})
	if err != nil {
		return "", authcore.StoreError(err, authcore.Inactive())
	}
	return token, nil
}

// Devices returns the devices with these tokens. Unknown and expired tokens have none.
func (s *Service) Devices(ctx context.Context, tokens []string) ([]Device, error) {
	if s.cfg.Remember == 0 {
		return nil, nil
	}
	var devices []Device
	for _, token := range tokens {
		if token == "" || len(token) > maxDeviceToken {
			continue
		}
		record, err := s.store.Record(ctx, deviceKey(token), s.cfg.Now())
		switch {
		case errors.Is(err, authcore.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			devices = append(devices, readDevice(record))
		}
	}
	return devices, nil
}

// readDevice returns the device of a record. One that cannot be read replaces no factor,
// so that the user proves the factor again.
func readDevice(record authcore.Record) Device {
	device := Device{ID: record.Key, Created: record.Created, Expires: record.Expires}
	var data deviceData
	if json.Unmarshal(record.Data, &data) == nil {
		device.UserAgent, device.userID, device.epoch = data.UserAgent, record.Owner, data.Epoch
	}
	return device
}

func deviceKey(token string) authcore.RecordKey {
	return authcore.RecordKey{Kind: deviceKind, Key: authcore.DigestOf("device", token).String()}
}
